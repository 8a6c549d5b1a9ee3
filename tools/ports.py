"""Ports for servers that are about to be started on this machine."""

from __future__ import annotations

import secrets
import socket
from contextlib import ExitStack

__all__ = ["free_ports"]

# Below the range from which systems hand out ports for outgoing connections, so that nobody is given one of these
# in the moment between the check here and the start of the server.
_CANDIDATES = range(20_000, 32_000)
_ATTEMPTS = 200


def free_ports(count: int) -> list[int]:
    """
    Return ports on which nothing listens, no two of them alike.

    :param count: how many.
    """
    ports: list[int] = []
    with ExitStack() as held:
        for candidate in secrets.SystemRandom().sample(_CANDIDATES, _ATTEMPTS):
            if len(ports) == count:
                break
            listener = held.enter_context(socket.socket())
            if _can_bind(listener, candidate):
                ports.append(candidate)
    if len(ports) < count:
        raise OSError(f"Found no {count} free ports in {_ATTEMPTS} attempts.")
    return ports


def _can_bind(listener: socket.socket, port: int) -> bool:
    try:
        # On all addresses, because Airflow's log servers can't be told to listen on the loopback address only.
        listener.bind(("", port))
    except OSError:
        return False
    return True
