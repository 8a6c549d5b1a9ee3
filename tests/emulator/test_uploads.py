"""Uploads over real HTTP: by hand, and by the provider's client."""

import io
from pathlib import Path

import pytest
import requests

from seedance_provider.api.client import SeedanceClient
from seedance_provider.api.errors import AuthenticationError, UnexpectedResponseError
from seedance_provider.api.pricing import estimate_credits
from seedance_provider.api.protocol import SeedanceProtocol
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

    def test_a_place_takes_one_file_as_agreed_and_without_a_key_within_15_minutes(self, client, clock):
        assert ask(client, headers={}).status_code == 401
        ticket, late = ask(client).json(), ask(client).json()
        assert put(ticket, headers=BEARER).status_code == 400
        assert put(ticket, headers={"Content-Type": "image/jpeg"}).status_code == 403
        assert [put(ticket).status_code for _ in range(2)] == [200, 403]
        clock.advance(900)
        assert put(late).status_code == 403

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
    @pytest.fixture
    def error_after(self, client, clock, tmp_path):
        """Upload something, or nothing, under a name, refer to it, and return why the video failed."""

        def error_after(field, name, content):
            ticket = ask(client, name).json()
            if content is not None:
                put(ticket, content if isinstance(content, bytes) else made(tmp_path / content).read_bytes())
            inputs = {"prompt": "A bud", field: [ticket["url"]], "outputResolution": "480p", "duration": 4}
            task_id = client.create(inputs).json()["taskId"]
            clock.advance(60)
            return client.record(task_id).json()["error"]

        return error_after

    @pytest.mark.parametrize(
        ("field", "name", "wrong", "said"),
        [
            ("imageUrls", "a.png", "a.mp4", "Reference image 1 failed review."),
            ("videoUrls", "a.mp4", "a.wav", "Failed to download your"),
        ],
    )
    def test_only_what_is_there_and_what_its_name_says_is_of_use(self, error_after, field, name, wrong, said):
        for content in (None, wrong, b"<html>Not found</html>"):
            assert error_after(field, name, content)["message"].startswith(said)
        assert error_after(field, name, name) is None

    def test_a_video_that_is_too_long_fails(self, error_after, tmp_path):
        long = media.video(tmp_path / "long.mp4", seconds=16).read_bytes()
        assert "15 seconds or less" in error_after("videoUrls", "a.mp4", long)["message"]

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

    def test_a_wrong_key_is_an_error_like_any_other(self, client):
        with SeedanceClient(SeedanceProtocol("wrong", client.base_url)) as seedance, pytest.raises(AuthenticationError):
            seedance.upload(io.BytesIO(PICTURE), "a.png", len(PICTURE))

    def test_a_storage_that_refuses_is_an_error_without_the_signed_address(self, client, seedance, monkeypatch):
        monkeypatch.setattr("seedance_provider.emulator.uploads.PLACE_SECONDS", 0)
        with pytest.raises(UnexpectedResponseError, match="the storage did not take the file") as caught:
            seedance.upload(io.BytesIO(PICTURE), "a.png", len(PICTURE))
        assert "expires" not in str(caught.value)
