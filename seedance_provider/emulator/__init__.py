"""
A local stand-in for the Seedance API that answers like the real one and returns real MP4 files.

Start it with ``python -m seedance_provider.emulator``, or in a test with
:func:`seedance_provider.emulator.server.running_emulator`.
"""
