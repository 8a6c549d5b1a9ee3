"""Real signals, to a real process in the middle of its work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from seedance_provider.submission.signals import signals_held_back

#: Signals can arrive while print() is still at it, which can't be entered twice.
CHILD = """
import os, signal, sys, time
from seedance_provider.submission.signals import signals_held_back

def say(*words):
    os.write(1, (" ".join(words) + "\\n").encode())

def end(number, frame):
    say("handled", signal.Signals(number).name)

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
    signal.signal(number, end)
with signals_held_back(lambda number: say("told", number.name)) as came:
    say("ready")
    while len(came) < int(sys.argv[1]):
        time.sleep(0.01)
    say("written")
say("after")
"""


@pytest.fixture
def child():
    """Start a process that holds back a number of signals."""
    started = []

    def start(count):
        command = [sys.executable, "-c", CHILD, str(count)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@contextmanager
def handling(number, handler):
    """Let this process handle a signal in this way."""
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGALRM])
def test_a_signal_waits_until_the_work_is_done(child, number):
    process = child(1)
    process.send_signal(number)
    said, _ = process.communicate(timeout=30)
    assert said.split("\n") == [f"told {number.name}", "written", f"handled {number.name}", "after", ""]


def test_several_signals_are_delivered_in_their_order(child):
    process = child(2)
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "told SIGINT\n"
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=30)
    assert said.split("\n") == ["told SIGTERM", "written", "handled SIGINT", "handled SIGTERM", "after", ""]


def test_the_handlers_are_put_back_even_if_one_raises():
    class EndedError(Exception):
        pass

    def end(number, frame):
        raise EndedError

    done = []

    def work():
        with signals_held_back(lambda number: None):
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("the work")

    # A shell starts what runs in the background with SIGINT ignored, and the tests may be that.
    with handling(signal.SIGTERM, end), handling(signal.SIGINT, signal.default_int_handler):
        with pytest.raises(EndedError):
            work()
        assert done == ["the work"]
        assert signal.getsignal(signal.SIGTERM) is end
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_is_ignored_stays_ignored():
    with handling(signal.SIGTERM, signal.SIG_IGN):
        with signals_held_back(lambda number: None) as came:
            os.kill(os.getpid(), signal.SIGTERM)
        assert came == []
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def test_another_thread_is_left_alone():
    handlers = []

    def work():
        with signals_held_back(lambda number: None):
            handlers.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [before]


def test_what_can_not_be_said_does_not_disturb_the_work():
    def tell(_):
        raise RuntimeError("reentrant call inside the log")

    delivered = []
    with handling(signal.SIGTERM, lambda number, _: delivered.append(number)), signals_held_back(tell) as came:
        signal.raise_signal(signal.SIGTERM)
        assert came == [signal.SIGTERM]
        assert not delivered
    assert delivered == [signal.SIGTERM]
