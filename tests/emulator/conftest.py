"""A running emulator, a clock to move by hand, and a client that speaks plain HTTP to it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import requests

from seedance_provider.emulator.server import running_emulator
from seedance_provider.emulator.settings import DEFAULT_KEY, Settings
from tools.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tools.emulator_process import EmulatorProcess

#: The smallest and quickest video that there is.
SMALL: dict[str, Any] = {"prompt": "A small boat", "duration": 4, "outputResolution": "480p"}


class ManualClock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1_750_000_000.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


class Client:
    """Sends requests as they are, good or bad."""

    def __init__(self, url: str, base_url: str, session: requests.Session) -> None:
        self.url = url
        self.base_url = base_url
        self.session = session

    def create(self, inputs: Any = None, *, model: Any = "seedance-20", key: str = DEFAULT_KEY, **body: Any):
        fields = {"model": model, "inputs": SMALL if inputs is None else inputs, **body}
        return self.post(json=fields, headers=_bearer(key))

    def post(self, **request: Any) -> requests.Response:
        return self.session.post(f"{self.base_url}/jobs/createTask", timeout=10, **request)

    def record(self, task_id: str | None, *, key: str = DEFAULT_KEY) -> requests.Response:
        params = {} if task_id is None else {"taskId": task_id}
        return self.get(f"{self.base_url}/jobs/recordInfo", params=params, headers=_bearer(key))

    def set_faults(self, *faults: dict[str, Any], seed: int = 0) -> None:
        body = {"seed": seed, "faults": list(faults)}
        answer = self.session.post(f"{self.url}/emulator/faults", json=body, timeout=10)
        assert answer.ok, answer.text

    def wait_for_the_end_of_an_outage(self) -> None:
        def is_up() -> bool:
            try:
                return self.get(f"{self.url}/emulator/health").ok
            except requests.ConnectionError:
                return False

        wait_until(is_up, timeout=10, what="the end of the outage")

    def ledger(self) -> dict[str, Any]:
        return self.get(f"{self.url}/emulator/ledger").json()

    def get(self, url: str, **request: Any) -> requests.Response:
        return self.session.get(url, timeout=30, **request)


def create(emulator: EmulatorProcess, prompt: str = SMALL["prompt"]) -> requests.Response:
    """Ask an emulator that is a process of its own for a video."""
    body = {"model": "seedance-20", "inputs": SMALL | {"prompt": prompt}}
    return requests.post(f"{emulator.base_url}/jobs/createTask", json=body, headers=_bearer(DEFAULT_KEY), timeout=10)


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def start(clock: ManualClock) -> Iterator[Callable[..., Client]]:
    """Start an emulator with some settings and return a client of it."""
    with ExitStack() as stack:

        def start_emulator(**settings: Any) -> Client:
            emulator = stack.enter_context(running_emulator(Settings(**settings), clock))
            session = stack.enter_context(requests.Session())
            return Client(emulator.url, emulator.base_url, session)

        yield start_emulator


@pytest.fixture
def client(start: Callable[..., Client]) -> Client:
    return start()
