"""``python -m seedance_provider.emulator``."""

from __future__ import annotations

import sys

try:
    from seedance_provider.emulator.cli import main
except ModuleNotFoundError as error:
    sys.exit(
        f"{error}. The emulator needs what the extra 'emulator' installs: from a checkout, pip install '.[emulator]'"
    )

sys.exit(main())
