"""``python -m seedance_provider.emulator``."""

from __future__ import annotations

import sys

try:
    from seedance_provider.emulator.cli import main
except ModuleNotFoundError as error:
    sys.exit(f"{error}. The emulator needs its extra: pip install 'airflow-provider-seedance[emulator]'")

sys.exit(main())
