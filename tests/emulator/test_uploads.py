"""Uploads over real HTTP: by hand, and by the provider's client."""

import io
from pathlib import Path

import pytest
import requests

from seedance_provider.api.client import SeedanceClient
from seedance_provider.api.errors import AuthenticationError, InvalidRequestError, UnexpectedResponseError
from seedance_provider.api.pricing import estimate_credits
from seedance_provider.api.protocol import HttpResponse, SeedanceProtocol
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.emulator.settings import DEFAULT_KEY
from tests.support import media

PICTURE = b"\x89PNG" + bytes(range(256)) * 1000
BEARER = {"Authorization": f"Bearer {DEFAULT_KEY}"}


def ask(client, name="a bud.png", headers=BEARER):
    return requests.post(f"{client.base_url}/uploads", headers=headers, json={"fileName": name}, timeout=10)


def put(ticket, content=PICTURE, headers=None):
    headers = {"Content-Type": ticket["contentType"]} | (headers or {})
    return requests.put(ticket["uploadUrl"], data=content, headers=headers, timeout=10)


class TestByHand:
    def test_ask_put_fetch_and_confirm(self, client):
        ticket = ask(client).json()
        assert (ticket["contentType"], ticket["expiresIn"], ticket["assetTtlSeconds"]) == ("image/png", 900, 86400)
        assert put(ticket).status_code == 200
        fetched = client.get(ticket["url"])
        assert (fetched.content, fetched.headers["Content-Type"]) == (PICTURE, "image/png")
        confirmed = client.get(f"{client.url}{ticket['confirmUrl']}", headers=BEARER).json()
        assert (confirmed["path"], confirmed["size"]) == (ticket["path"], len(PICTURE))

    @pytest.mark.parametrize("name", ["a.exe", "", "a/b.png", "a\x00.png", 5, None])
    def test_what_is_no_file_name_is_refused(self, client, name):
        assert ask(client, name).status_code == 400

    def test_a_key_is_needed_to_ask(self, client):
        assert ask(client, headers={}).status_code == 401

    def test_the_key_must_not_be_sent_with_the_bytes(self, client):
        assert put(ask(client).json(), headers=BEARER).status_code == 400

    def test_the_content_type_is_part_of_the_deal(self, client):
        assert put(ask(client).json(), headers={"Content-Type": "image/jpeg"}).status_code == 403

    def test_a_place_takes_one_file(self, client):
        ticket = ask(client).json()
        assert [put(ticket).status_code for _ in range(2)] == [200, 403]

    def test_a_place_is_good_for_15_minutes(self, client, clock):
        ticket = ask(client).json()
        clock.advance(900)
        assert put(ticket).status_code == 403

    def test_a_file_is_gone_after_24_hours(self, client, clock):
        ticket = ask(client).json()
        assert client.get(ticket["url"]).status_code == 404
        put(ticket)
        clock.advance(24 * 3600 - 1)
        assert client.get(ticket["url"]).status_code == 200
        clock.advance(1)
        assert client.get(ticket["url"]).status_code == 404
        assert client.get(f"{client.url}{ticket['confirmUrl']}", headers=BEARER).status_code == 404


class TestAsReferences:
    @pytest.mark.parametrize(
        ("field", "name", "said"),
        [("imageUrls", "a.png", "Reference image 1 failed review."), ("videoUrls", "a.mp4", "Failed to download your")],
    )
    def test_what_was_never_put_there_can_not_be_fetched(self, client, clock, tmp_path, field, name, said):
        ticket = ask(client, name).json()
        inputs = {"prompt": "A bud", field: [ticket["url"]], "outputResolution": "480p", "duration": 4}
        task_id = client.create(inputs).json()["taskId"]
        put(ticket, made(tmp_path / name).read_bytes())
        good = client.create(inputs).json()["taskId"]
        clock.advance(10)
        assert client.record(task_id).json()["error"]["message"].startswith(said)
        assert client.record(good).json()["status"] == "success"

    @pytest.mark.parametrize(
        ("field", "name", "content", "said"),
        [
            ("imageUrls", "a.png", "a.mp4", "Reference image 1 failed review."),
            ("imageUrls", "a.png", None, "Reference image 1 failed review."),
            ("videoUrls", "a.mp4", "a.wav", "Failed to download your"),
            ("videoUrls", "a.mp4", None, "Failed to download your"),
        ],
    )
    def test_what_is_not_what_its_name_says_is_of_no_use(self, client, clock, tmp_path, field, name, content, said):
        ticket = ask(client, name).json()
        put(ticket, made(tmp_path / content).read_bytes() if content else b"<html>Not found</html>")
        inputs = {"prompt": "A bud", field: [ticket["url"]], "outputResolution": "480p", "duration": 4}
        task_id = client.create(inputs).json()["taskId"]
        clock.advance(10)
        assert client.record(task_id).json()["error"]["message"].startswith(said)

    def test_the_length_of_a_video_is_its_own(self, client, clock, tmp_path):
        ticket = ask(client, "a.mp4").json()
        put(ticket, media.video(tmp_path / "a.mp4", seconds=3).read_bytes())
        inputs = {"prompt": "On", "videoUrls": [ticket["url"]], "outputResolution": "480p", "duration": 4}
        task_id = client.create(inputs, model="seedance2-5").json()["taskId"]
        clock.advance(60)
        request = VideoRequest(
            "On",
            model="seedance2-5",
            duration=4,
            resolution="480p",
            reference_videos=["https://a/b.mp4"],
            reference_video_seconds=3,
        )
        assert client.record(task_id).json()["creditsUsed"] == pytest.approx(estimate_credits(request), abs=1)

    def test_one_that_is_too_long_fails(self, client, clock, tmp_path):
        ticket = ask(client, "a.mp4").json()
        put(ticket, media.video(tmp_path / "a.mp4", seconds=16).read_bytes())
        inputs = {"prompt": "On", "videoUrls": [ticket["url"]], "outputResolution": "480p", "duration": 4}
        task_id = client.create(inputs).json()["taskId"]
        clock.advance(60)
        assert "15 seconds or less" in client.record(task_id).json()["error"]["message"]


def made(path: Path) -> Path:
    """A file of the kind that the ending names."""
    makers = {".png": media.picture, ".mp4": media.video, ".wav": media.sound}
    return makers[path.suffix](path)


class TestByTheClient:
    @pytest.fixture
    def seedance(self, client):
        with SeedanceClient(SeedanceProtocol(DEFAULT_KEY, client.base_url)) as made:
            yield made

    def test_the_file_is_there_afterwards(self, client, seedance):
        # The emulator refuses bytes that come with a key.
        upload = seedance.upload(io.BytesIO(PICTURE), "a bud.png", len(PICTURE))
        assert client.get(upload.url).content == PICTURE
        assert (upload.content_type, upload.size) == ("image/png", len(PICTURE))
        assert upload.summary()["expires_at"].endswith("+00:00")

    @pytest.mark.parametrize(
        ("name", "size", "said"), [("a.exe", 5, "the API takes .jpg"), ("a.png", 0, "it is empty")]
    )
    def test_what_the_api_does_not_take_is_not_sent(self, seedance, name, size, said):
        with pytest.raises(InvalidRequestError, match="Nothing was sent or charged") as caught:
            seedance.upload(io.BytesIO(b"x" * size), name, size)
        assert said in str(caught.value)

    def test_a_wrong_key_is_an_error_like_any_other(self, client):
        with SeedanceClient(SeedanceProtocol("wrong", client.base_url)) as seedance, pytest.raises(AuthenticationError):
            seedance.upload(io.BytesIO(PICTURE), "a.png", len(PICTURE))

    def test_a_storage_that_refuses_is_an_error_without_the_signed_address(self, client, seedance, monkeypatch):
        monkeypatch.setattr("seedance_provider.emulator.uploads.PLACE_SECONDS", 0)
        with pytest.raises(UnexpectedResponseError, match="the storage did not take the file") as caught:
            seedance.upload(io.BytesIO(PICTURE), "a.png", len(PICTURE))
        assert "expires" not in str(caught.value)


class TestProtocol:
    @pytest.mark.parametrize(
        "answer",
        [b"{}", b'{"uploadUrl": "ftp://a/b", "url": "https://a/b"}', b'{"uploadUrl": "https://a/b", "url": 5}', b"[]"],
    )
    def test_an_answer_without_a_place_is_unexpected(self, answer):
        with pytest.raises(UnexpectedResponseError):
            SeedanceProtocol("key").read_ticket(HttpResponse(200, {}, answer))

    def test_an_envelope_and_missing_figures_are_fine(self):
        answer = b'{"data": {"uploadUrl": "https://a/b?s=1", "url": "https://a/b", "assetTtlSeconds": "long"}}'
        ticket = SeedanceProtocol("key").read_ticket(HttpResponse(200, {}, answer))
        assert (ticket.content_type, ticket.lifetime_seconds) == ("application/octet-stream", 86400)

    def test_the_key_is_not_part_of_what_is_put(self):
        protocol = SeedanceProtocol("key")
        answer = b'{"uploadUrl": "https://a/b?s=1", "url": "https://a/b"}'
        assert set(protocol.put_file(protocol.read_ticket(HttpResponse(200, {}, answer))).headers) == {"Content-Type"}
