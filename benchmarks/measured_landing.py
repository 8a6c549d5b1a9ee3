"""
One landing in a process of its own, because its memory is counted.

``python -m benchmarks.measured_landing URL DESTINATION`` prints the seconds it took and the bytes by which its memory
grew at most. Imports and the connection to the storage come before: a worker has them from its other tasks or needs
them for a video of any size.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from pathlib import Path

from seedance_provider.landing.landing import Landing
from seedance_provider.landing.media_check import check_video
from seedance_provider.network.addresses import AddressRule
from seedance_provider.network.guarded_session import guarded_session
from seedance_provider.storage.stored_file import StoredFile


def _measure(url: str, destination: str) -> dict[str, float]:
    stored = StoredFile.at(destination)
    stored.size()
    # From here on, the high-water mark is of the landing.
    Path("/proc/self/clear_refs").write_text("5")
    before = _memory("VmRSS")
    began = time.perf_counter()
    with guarded_session(AddressRule.beside(url)) as session:
        Landing(session, logging.getLogger()).land(url, stored, check_video)
    return {"seconds": time.perf_counter() - began, "memory": _memory("VmHWM") - before}


def _memory(name: str) -> int:
    """In bytes."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), flags=re.MULTILINE)
    if found is None:
        raise RuntimeError(f"This system does not say {name}.")
    return 1024 * int(found[1])


if __name__ == "__main__":
    sys.stdout.write(f"{json.dumps(_measure(*sys.argv[1:]))}\n")
