"""Somebody fills in the form of a connection for the first time, and presses Test."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from seedance_provider.emulator.settings import DEFAULT_KEY, DEMO_KEY


class Form:
    """The form, as a person uses it."""

    def __init__(self, page, base_url: str) -> None:
        self._page = page
        self._list = f"{base_url}/connections"
        self.dialog = page.get_by_role("dialog")

    def add(self, conn_id: str, **fields: str) -> None:
        self._page.goto(self._list)
        self._page.get_by_role("button", name="Add Connection").click()
        kind = self.dialog.get_by_role("combobox").first
        kind.click()
        kind.fill("seed")
        self._page.get_by_role("option", name="Seedance").click()
        self.field("connection_id").fill(conn_id)
        self.open("Standard Fields")
        for name, value in fields.items():
            self.field(name).fill(value)

    def edit(self, conn_id: str) -> None:
        self.row(conn_id).get_by_role("button", name="Edit").click()
        self.open("Standard Fields")

    def open(self, section: str) -> None:
        button = self.dialog.get_by_role("button", name=section, exact=True)
        if button.get_attribute("aria-expanded") != "true":
            button.click()

    def field(self, name: str):
        return self.dialog.locator(f"[name={name}]")

    def option(self, name: str):
        return self.field(f"element_{name}")

    def save(self) -> None:
        self.dialog.get_by_role("button", name="Save").click()
        expect(self.dialog).to_be_hidden()

    def row(self, conn_id: str):
        self._page.goto(self._list)
        return self._page.get_by_role("row").filter(has=self._page.get_by_text(conn_id, exact=True))

    def test(self, conn_id: str) -> dict:
        with self._page.expect_response(lambda response: "/connections/test" in response.url) as answered:
            self.row(conn_id).get_by_role("button", name="Test").click()
        return answered.value.json()


@pytest.fixture
def form(page_of, airflow):
    return Form(page_of(viewport={"width": 1200, "height": 1000}), airflow.base_url)


@pytest.fixture
def page(form):
    return form._page


def extra(airflow, conn_id: str) -> dict:
    return json.loads(airflow.call("GET", f"/connections/{conn_id}")["extra"])


def test_it_shows_what_is_needed_and_masks_the_key(form, page, screenshot):
    form.add("first")
    for name in ("host", "password", "port", "description"):
        expect(form.field(name)).to_be_visible()
    for name in ("login", "schema"):
        expect(form.field(name)).to_have_count(0)
    expect(form.field("password")).to_have_attribute("type", "password")
    expect(form.field("host")).to_have_attribute("placeholder", "Leave empty for https://kinovi.ai/api/v1")
    screenshot(page, "connection-form")
    form.open("Extra Fields")
    for name in ("max_credits", "typical_seconds", "max_polls_per_second"):
        expect(form.option(name)).to_be_visible()
    expect(form.dialog.get_by_text("A video that would cost more is refused before anything is spent.")).to_be_visible()


@pytest.mark.parametrize(
    ("conn_id", "key", "status", "verdict"),
    [
        ("good", DEFAULT_KEY, True, "accepts the key. Nothing was spent."),
        ("wrong", "not-a-key", False, "The API rejects the key"),
        ("demo", DEMO_KEY, True, "accepts the vendor's demo key. It is read-only"),
        ("keyless", "", False, "The connection has no API key"),
    ],
)
def test_the_test_button_gives_the_verdict_of_the_hook(form, emulator, conn_id, key, status, verdict):
    # Airflow 3.3.2 tests no connection without a port.
    form.add(conn_id, host=emulator.base_url, password=key, port="0")
    form.save()
    before = emulator.ledger()
    answer = form.test(conn_id)
    assert answer["status"] is status
    assert verdict in answer["message"]
    assert emulator.ledger() == before


def test_options_are_kept_and_emptied_and_the_key_stays_unseen(form, airflow, emulator):
    form.add("edited", host=emulator.base_url, password=DEFAULT_KEY, port="0")
    form.open("Extra Fields")
    form.option("max_credits").fill("500")
    form.option("typical_seconds").fill("60-300")
    form.save()
    assert extra(airflow, "edited") == {
        "max_credits": 500,
        "typical_seconds": "60-300",
        "max_polls_per_second": None,
        "wire_format": "auto",
    }
    form.edit("edited")
    assert DEFAULT_KEY not in form.field("password").input_value()
    form.open("Extra Fields")
    expect(form.option("max_credits")).to_have_value("500")
    form.option("max_credits").fill("")
    form.option("typical_seconds").fill("")
    form.save()
    assert set(extra(airflow, "edited").values()) <= {None, "", "auto"}
    assert form.test("edited")["status"] is True
