"""Signals that have to wait until what was paid for is written down."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["signals_held_back"]

#: By SIGTERM and SIGINT Airflow ends a task, by SIGALRM its ``execution_timeout`` does.
_HELD_BACK = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)


@contextmanager
def signals_held_back(tell: Callable[[signal.Signals], None]) -> Iterator[list[signal.Signals]]:
    """
    Deliver the signals that end a task only at the end of the block, each of them once; yields those that have come.

    SIGKILL, which Airflow sends five seconds after SIGTERM, can't be held back; so ``tell`` is called at once. Outside
    the main thread, where Python handles no signals, this does nothing.

    :param tell: called when the first signal of a kind arrives, on top of whatever the block is doing.
    """
    came: list[signal.Signals] = []

    def hold(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        if number not in came:
            came.append(signal.Signals(number))
            # A log that is being written to can't always be entered again, and the work matters more.
            with suppress(Exception):
                tell(signal.Signals(number))

    # Unwound to the end even if a handler raises, as that of execution_timeout does.
    with ExitStack() as afterwards:
        afterwards.callback(_deliver, came)
        if threading.current_thread() is threading.main_thread():
            for number in _HELD_BACK:
                handler = signal.getsignal(number)
                # What is ignored stays so, and what was not set by Python can't be put back.
                if handler not in (None, signal.SIG_IGN):
                    afterwards.callback(signal.signal, number, handler)
                    signal.signal(number, hold)
        yield came


def _deliver(came: list[signal.Signals]) -> None:
    with ExitStack() as deliveries:
        for number in reversed(came):
            deliveries.callback(signal.raise_signal, number)
