"""Keys become accounts or refusals."""

import pytest

from seedance_provider.emulator.auth import account_name, accounts, authenticate
from seedance_provider.emulator.refusals import RefusedError
from seedance_provider.emulator.settings import DEMO_KEY, Settings

SETTINGS = Settings(
    keys={"good": 500},
    inactive_keys=frozenset({"inactive"}),
    expired_keys=frozenset({"expired"}),
    no_access_keys=frozenset({"no-access"}),
)


@pytest.mark.parametrize(
    ("header", "status", "message"),
    [
        (None, 401, "Missing Authorization header"),
        ("", 401, "Missing Authorization header"),
        ("Bearer wrong", 401, "Invalid API Key"),
        ("Bearer ", 401, "Invalid API Key"),
        ("good", 401, "Invalid API Key"),
        ("Basic good", 401, "Invalid API Key"),
        ("Bearer inactive", 401, "API Key is inactive"),
        ("Bearer expired", 401, "API Key has expired"),
        ("Bearer no-access", 403, "API access not enabled for this account"),
    ],
)
def test_refuses_a_bad_key_with_the_documented_text(header, status, message):
    with pytest.raises(RefusedError) as refused:
        authenticate(header, SETTINGS, {})
    assert (refused.value.status, refused.value.body) == (status, {"message": message})


@pytest.mark.parametrize("header", ["Bearer good", "bearer good", "Bearer  good"])
def test_a_good_key_is_an_account(header):
    assert authenticate(header, SETTINGS, {}).credits == 500


def test_the_demo_key_always_exists_and_never_has_credits():
    assert authenticate(f"Bearer {DEMO_KEY}", SETTINGS, {}).credits == 0
    assert authenticate(f"Bearer {DEMO_KEY}", Settings(keys={DEMO_KEY: 9}), {}).credits == 0
    assert len(accounts(SETTINGS)) == 2


def test_settings_and_accounts_can_be_logged_without_showing_keys():
    assert not any(key in repr(SETTINGS) for key in ("good", "inactive'", "expired'", "no-access"))
    assert "good" not in account_name("good")
    assert account_name("good") != account_name("other")
