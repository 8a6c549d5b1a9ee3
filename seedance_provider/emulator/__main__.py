"""``python -m seedance_provider.emulator``."""

from __future__ import annotations

import sys

from seedance_provider.emulator.cli import main

sys.exit(main())
