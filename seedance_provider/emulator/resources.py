"""What the handlers of the emulator share while it runs."""

from __future__ import annotations

from aiohttp import web

from seedance_provider.emulator.callbacks import Callbacks
from seedance_provider.emulator.fault_store import FaultStore
from seedance_provider.emulator.listener import Listener
from seedance_provider.emulator.media import MediaFolder
from seedance_provider.emulator.service import Service
from seedance_provider.emulator.store import Store
from seedance_provider.emulator.uploads import Uploads

__all__ = ["CALLBACKS", "FAULTS", "LISTENER", "MEDIA", "SERVICE", "STORE", "UPLOADS"]

CALLBACKS = web.AppKey("callbacks", Callbacks)
SERVICE = web.AppKey("service", Service)
MEDIA = web.AppKey("media", MediaFolder)
STORE = web.AppKey("store", Store)
UPLOADS = web.AppKey("uploads", Uploads)
FAULTS = web.AppKey("faults", FaultStore)
LISTENER = web.AppKey("listener", Listener)
