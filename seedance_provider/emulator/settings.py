"""Everything about the emulator that can be chosen when it is started."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seedance_provider.emulator.generations import GENERATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seedance_provider.emulator.faults import Rule
    from seedance_provider.emulator.generations import ErrorShape, FailedRecord, GenerationName

__all__ = ["DEFAULT_KEY", "DEMO_KEY", "Settings"]

#: The key that works if no other is asked for.
DEFAULT_KEY = "emulator-key"

#: Published in the vendor's quickstart: may read the sample tasks, and has no credits.
DEMO_KEY = "zimg_demo_readonly_d2cb4bea56fcc21a9eb106e0"


@dataclass(frozen=True)
class Settings:
    """
    How the emulator behaves.

    Keys are left out of the ``repr``, so that settings can be logged.

    :param host: address to listen on.
    :param port: port to listen on; 0 takes a free one.
    :param keys: API keys and the credits of each: a key is an account of its own.
    :param inactive_keys: keys that are refused as inactive.
    :param expired_keys: keys that are refused as expired.
    :param no_access_keys: keys of accounts without access to the API.
    :param state_file: SQLite file that keeps the tasks; without one they are gone when the emulator ends.
    :param media_dir: folder of the video files; by default one beside the state file.
    :param waiting_seconds: how long a task is ``waiting``.
    :param generation_seconds: how long it is ``generating`` after that.
    :param jitter: how many seconds each of the two may be shorter or longer, at most.
    :param jitter_seed: the same seed and the same order of submissions give the same times.
    :param concurrency_limit: how many tasks of one account can be unfinished at a time.
    :param generation: which of the documented generations of the API it is: what another one spells differently is
        refused, and fields that it does not know are ignored.
    :param error_shape: ``error`` of a failed task as the quickstart has it (``string``), or as the newer pages do
        (``object``). By default as the generation does.
    :param failed_record: what the record of a failed task says, apart from its error: ``quickstart`` has
        ``creditsUsed`` 0 and no ``completeTime``, ``models`` has the refunded amount and the time. By default as the
        generation does.
    :param faults: what to spoil from the start; after a restart with the same ones, they continue where they were.
    """

    host: str = "127.0.0.1"
    port: int = 0
    keys: Mapping[str, float] = field(default_factory=lambda: {DEFAULT_KEY: 100_000}, repr=False)
    inactive_keys: frozenset[str] = field(default=frozenset(), repr=False)
    expired_keys: frozenset[str] = field(default=frozenset(), repr=False)
    no_access_keys: frozenset[str] = field(default=frozenset(), repr=False)
    state_file: Path | None = None
    media_dir: Path | None = None
    waiting_seconds: float = 1.0
    generation_seconds: float = 5.0
    jitter: float = 0.0
    jitter_seed: int = 0
    concurrency_limit: int = 50
    generation: GenerationName = "models"
    error_shape: ErrorShape | None = None
    failed_record: FailedRecord | None = None
    faults: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        for name in ("error_shape", "failed_record"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, getattr(GENERATIONS[self.generation], name))
