"""The application behind the Videos page, asked as Airflow's API server would ask it."""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI


@pytest.fixture(scope="session")
def application() -> FastAPI:
    """Airflow's own imports warn of each other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("seedance_provider.plugins.application").application


@pytest.fixture
async def client(application) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a login."""
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://airflow.example") as asking:
        yield asking
