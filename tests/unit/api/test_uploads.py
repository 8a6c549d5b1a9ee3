"""Files for the API: which it takes, what is sent where, and what is known of them afterwards."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from seedance_provider.api import client as client_module
from seedance_provider.api.client import SeedanceClient
from seedance_provider.api.errors import ConnectionLostError, InvalidRequestError, UnexpectedResponseError
from seedance_provider.api.protocol import HttpRequest, HttpResponse, SeedanceProtocol
from seedance_provider.api.uploads import Upload, UploadTicket, file_problem
from tests.support.scripted_api import Answer
from tests.unit.api.conftest import KEY

PICTURE = bytes(range(256)) * 300
LINKS = {"uploadUrl": "https://storage.example/b?signature=1", "url": "https://media.example/b.png"}
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
ENDINGS = ".jpg, .jpeg, .png, .webp, .mp4, .mov, .webm, .mp3, .wav, .m4a, .aac, .ogg, .flac"


def ticket_of(answer):
    return SeedanceProtocol(KEY).read_ticket(HttpResponse(200, {}, json.dumps(answer).encode()))


class TestFileProblem:
    @pytest.mark.parametrize("ending", ENDINGS.split(", "))
    def test_a_file_that_the_api_takes_has_none(self, ending):
        assert file_problem(f"a bud{ending.upper()}", 1) is None

    @pytest.mark.parametrize("name", ["a.exe", "png", "a.png.txt", ""])
    def test_another_ending_is_refused_naming_those_that_are_taken(self, name):
        assert file_problem(name, 1) == f"its name is {name!r}, and the API takes {ENDINGS}"

    @pytest.mark.parametrize("size", [0, -1])
    def test_an_empty_file_is_refused(self, size):
        assert file_problem("a.png", size) == "it is empty"


class TestUpload:
    def test_is_what_the_ticket_said_until_its_lifetime_is_over(self):
        ticket = UploadTicket("https://storage.example/b?s", "https://media.example/b.png", "image/png", 90)
        assert Upload.of(ticket, 5, NOON) == Upload(ticket.url, "image/png", 5, NOON + timedelta(seconds=90))

    def test_hands_on_plain_values(self):
        assert Upload("https://media.example/b.png", "image/png", 5, NOON).summary() == {
            "url": "https://media.example/b.png",
            "content_type": "image/png",
            "size": 5,
            "expires_at": "2026-11-26T12:00:00+00:00",
        }


class TestProtocol:
    @pytest.mark.parametrize("answer", [LINKS, {"data": LINKS}], ids=["flat", "enveloped"])
    def test_the_least_that_an_answer_can_say_is_two_links(self, answer):
        assert ticket_of(answer) == UploadTicket(
            LINKS["uploadUrl"], LINKS["url"], "application/octet-stream", lifetime_seconds=86_400
        )

    @pytest.mark.parametrize(
        ("said", "seconds"),
        [
            *((lifetime, lifetime) for lifetime in (0.5, 1, 366 * 24 * 3600 - 1)),
            *((no, 86_400) for no in (0, -1, True, "3600", None, [], 366 * 24 * 3600, float("inf"))),
        ],
    )
    def test_what_is_no_lifetime_of_up_to_a_year_is_taken_for_24_hours(self, said, seconds):
        ticket = ticket_of(LINKS | {"contentType": "image/png", "assetTtlSeconds": said})
        assert (ticket.content_type, ticket.lifetime_seconds) == ("image/png", seconds)

    @pytest.mark.parametrize("name", LINKS)
    @pytest.mark.parametrize("link", [None, 5, "", "ftp://a/b", "storage.example/b"])
    def test_without_two_addresses_of_the_web_there_is_no_place(self, name, link):
        with pytest.raises(UnexpectedResponseError, match=r"^HTTP 200: the answer names no place for the file \("):
            ticket_of(LINKS | {name: link})

    def test_the_bytes_are_put_without_the_key(self):
        request = SeedanceProtocol(KEY).put_file(
            UploadTicket("https://storage.example/b?s", "https://a/b", "image/png")
        )
        assert request == HttpRequest("PUT", "https://storage.example/b?s", {"Content-Type": "image/png"})

    @pytest.mark.parametrize("status", [199, 300, 302, 403, 503])
    def test_anything_but_a_success_of_the_storage_is_an_error(self, status):
        for success in (200, 201, 204, 299):
            SeedanceProtocol(KEY).read_put(HttpResponse(success, {}, b""))
        with pytest.raises(UnexpectedResponseError, match=r"^HTTP \d+: the storage did not take the file \(") as caught:
            SeedanceProtocol(KEY).read_put(HttpResponse(status, {}, b"<Error/>"))
        assert (caught.value.status, "<Error/>" in str(caught.value)) == (status, True)


class Counting(io.BytesIO):
    """A file that notes how it is read."""

    def __init__(self, content):
        super().__init__(content)
        self.sizes = set()

    def read(self, size=-1):
        self.sizes.add(size)
        return super().read(size)


class TestClient:
    @pytest.fixture(autouse=True)
    def _storage(self, api, monkeypatch):
        monkeypatch.setenv("no_proxy", "*")
        place = {"uploadUrl": f"{api.url}/put?signature=1", "url": f"{api.url}/b.png", "contentType": "image/png"}
        api.creations.append(Answer(200, place | {"assetTtlSeconds": 60}))
        api.readings.append(Answer(201))

    @pytest.fixture
    def client(self, api):
        with SeedanceClient(SeedanceProtocol(KEY, api.base_url)) as client:
            yield client

    def test_it_asks_with_the_key_and_puts_the_bytes_without_it(self, api, client):
        upload = client.upload(io.BytesIO(PICTURE), "a bud.png", len(PICTURE))
        asked, put = api.asked
        assert (asked.method, asked.path, asked.json) == ("POST", "/api/v1/uploads", {"fileName": "a bud.png"})
        assert asked.headers["Authorization"] == f"Bearer {KEY}"
        assert (put.method, put.path, put.query, put.body) == ("PUT", "/put", {"signature": ["1"]}, PICTURE)
        assert (put.headers["Content-Type"], put.headers["Content-Length"]) == ("image/png", str(len(PICTURE)))
        assert "Authorization" not in put.headers
        assert put.headers["User-Agent"] == asked.headers["User-Agent"]
        assert put.headers["User-Agent"].startswith("airflow-provider-seedance/")
        assert (upload.url, upload.content_type, upload.size) == (f"{api.url}/b.png", "image/png", len(PICTURE))
        assert 50 < (upload.expires_at - datetime.now(UTC)).total_seconds() <= 60

    def test_a_large_file_is_read_in_parts(self, client):
        file = Counting(PICTURE)
        client.upload(file, "a.png", len(PICTURE))
        assert file.sizes
        assert all(0 < size < len(PICTURE) for size in file.sizes)

    @pytest.mark.parametrize(("name", "size", "problem"), [("a.exe", 5, "its name is 'a.exe'"), ("a.png", 0, "empty")])
    def test_what_the_api_does_not_take_is_not_sent(self, api, client, name, size, problem):
        with pytest.raises(InvalidRequestError, match=f"The file can't be uploaded: .*{problem}.*Nothing was sent"):
            client.upload(io.BytesIO(b"x" * size), name, size)
        assert api.asked == []

    def test_a_place_in_the_own_network_is_refused_unless_the_api_is_there_too(self, api, monkeypatch):
        # The API is reached through a proxy; it is nowhere in this network itself.
        monkeypatch.setenv("http_proxy", api.url)
        monkeypatch.setenv("no_proxy", "10.0.0.1")
        api.creations[0] = Answer(200, {"uploadUrl": "http://10.0.0.1/put", "url": "https://media.example/b.png"})
        with (
            SeedanceClient(SeedanceProtocol(KEY, "http://kinovi.invalid/api/v1")) as client,
            pytest.raises(InvalidRequestError, match=r"to be put to 10\.0\.0\.1, which is no public address") as caught,
        ):
            client.upload(io.BytesIO(PICTURE), "a.png", len(PICTURE))
        assert str(caught.value).endswith(". Nothing was uploaded or charged.")
        assert [asked.method for asked in api.asked] == ["POST"]

    def test_the_wait_for_a_place_has_an_end(self, silent_url, monkeypatch):
        monkeypatch.setattr(client_module, "_READ_SECONDS", 0.05)
        with (
            SeedanceClient(SeedanceProtocol(KEY, silent_url)) as client,
            pytest.raises(ConnectionLostError, match="timed out"),
        ):
            client.upload(io.BytesIO(PICTURE), "a.png", len(PICTURE))

    def test_an_error_of_either_step_comes_from_a_call_that_costs_nothing(self, api, client):
        api.readings[0] = Answer(403, b"<Error/>")
        with pytest.raises(UnexpectedResponseError) as caught:
            client.upload(io.BytesIO(PICTURE), "a.png", len(PICTURE))
        assert caught.value.was_reading

    def test_a_storage_that_is_silent_is_a_lost_connection_that_does_not_show_the_signed_address(
        self, api, client, silent_url, monkeypatch
    ):
        monkeypatch.setattr(client_module, "_PUT_SECONDS", 0.05)
        api.creations[0] = Answer(200, {"uploadUrl": f"{silent_url}/put?signature=1", "url": f"{silent_url}/b.png"})
        with pytest.raises(ConnectionLostError) as caught:
            client.upload(io.BytesIO(b"x"), "a.png", 1)
        assert str(caught.value) == f"{silent_url} did not answer completely: timed out."
