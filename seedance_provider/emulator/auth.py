"""Who is asking: an ``Authorization`` header becomes an account, or a refusal."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedance_provider.emulator.refusals import RefusedError
from seedance_provider.emulator.settings import DEMO_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedance_provider.emulator.settings import Settings

__all__ = ["Account", "account_name", "account_of_key", "accounts", "authenticate"]


@dataclass(frozen=True)
class Account:
    """
    An account, which here is the same as the key that it was made with.

    :param name: tells accounts apart without giving the key away.
    :param credits: what the account was given; what it spent since is in the store.
    """

    name: str
    credits: float


def account_name(key: str) -> str:
    """Return the name under which the emulator keeps the account of a key."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def accounts(settings: Settings) -> list[Account]:
    """Return all accounts that may ask for something."""
    # The demo key is an account with 0 credits, which is all that makes it read-only: createTask answers 402.
    # What the real API answers is not documented; 402 and 403 are the candidates.
    granted = {**settings.keys, DEMO_KEY: 0}
    return [Account(account_name(key), amount) for key, amount in granted.items()]


def authenticate(authorization: str | None, settings: Settings, rotated: Mapping[str, str | None]) -> Account:
    """
    Return the account that a request belongs to.

    :param authorization: value of the header, ``None`` if there is none.
    :param settings: which keys there are.
    :param rotated: names of keys that were handed out later, with their accounts; ``None`` for those taken back.
    :raises RefusedError: 401 if the key isn't good, 403 if its account has no access to the API.
    """
    if not authorization:
        raise RefusedError(401, "Missing Authorization header")
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise RefusedError(401, "Invalid API Key")
    return account_of_key(key.strip(), settings, rotated)


def account_of_key(key: str, settings: Settings, rotated: Mapping[str, str | None]) -> Account:
    """
    Return the account of a key.

    :param key: the key itself.
    :param settings: which keys there are.
    :param rotated: as for :func:`authenticate`.
    :raises RefusedError: 401 if the key isn't good, 403 if its account has no access to the API.
    """
    if key in settings.inactive_keys:
        raise RefusedError(401, "API Key is inactive")
    if key in settings.expired_keys:
        raise RefusedError(401, "API Key has expired")
    if key in settings.no_access_keys:
        raise RefusedError(403, "API access not enabled for this account")
    name = rotated.get(account_name(key), account_name(key))
    account = next((account for account in accounts(settings) if account.name == name), None)
    if account is None:
        raise RefusedError(401, "Invalid API Key")
    return account
