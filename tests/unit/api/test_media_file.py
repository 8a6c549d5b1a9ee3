"""Files in place of URLs, as far as a request is concerned."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

import pytest

from seedance_provider.api.errors import InvalidRequestError
from seedance_provider.api.media_file import CHUNK_BYTES, MediaFile, total_seconds
from seedance_provider.api.pricing import estimate
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.api.wire_formats import WIRE_FORMATS, encode_inputs
from tests.support import media

PICTURE = MediaFile("file:///a.png", "a.png", 10, "f1")
CLIP = MediaFile("s3://b/walk.mp4", "walk.mp4", 10, "f2", "video", 4.0)
WAVES = MediaFile("file:///waves.mp3", "waves.mp3", 10, "f3", "audio", 6.0)
URL = "https://media.example/a.png"


def a_request(**fields):
    return VideoRequest(**{"prompt": "A garden"} | fields)


def refusal(**fields):
    with pytest.raises(InvalidRequestError) as caught:
        a_request(**fields)
    return str(caught.value)


def test_reading_a_file(tmp_path):
    path = media.sound(tmp_path / "waves.wav")
    with path.open("rb") as file:
        found = MediaFile.read(str(path), path.name, file)
    content = path.read_bytes()
    assert found == MediaFile(str(path), "waves.wav", len(content), hashlib.sha256(content).hexdigest(), "audio", 2.0)


def test_reading_a_large_file_takes_little_memory():
    content = bytes(range(256)) * (CHUNK_BYTES // 100)

    class Parts(io.BytesIO):
        def read(self, size=-1):
            assert 0 < size <= CHUNK_BYTES
            return super().read(size)

    found = MediaFile.read("s3://b/a.png", "a.png", Parts(content))
    assert (found.size, found.sha256) == (len(content), hashlib.sha256(content).hexdigest())


class TestFingerprint:
    def test_the_content_counts_and_not_the_place(self):
        moved = replace(PICTURE, source="s3://elsewhere/b.png", name="b.png", url=URL)
        changed = replace(PICTURE, sha256="f9")
        here, there, other = (a_request(first_frame=file).fingerprint("c") for file in (PICTURE, moved, changed))
        assert here == there != other

    @pytest.mark.parametrize(
        "fields",
        [
            {"first_frame": PICTURE},
            {"first_frame": PICTURE, "last_frame": URL},
            {"reference_images": [URL, PICTURE], "reference_videos": [CLIP], "reference_audios": [WAVES]},
        ],
    )
    def test_an_upload_changes_nothing(self, fields):
        request = a_request(**fields)
        uploaded = request.uploaded({file.sha256: f"https://up/{file.name}" for file in request.files})
        assert uploaded.fingerprint("c") == request.fingerprint("c")
        assert [file.url for file in uploaded.files] == [f"https://up/{file.name}" for file in request.files]

    def test_what_was_not_uploaded_keeps_the_address_it_has(self):
        request = a_request(first_frame=replace(PICTURE, url=URL), last_frame=replace(PICTURE, sha256="f8"))
        uploaded = request.uploaded({"f8": "https://up/b.png"})
        assert [file.url for file in uploaded.files] == [URL, "https://up/b.png"]


class TestWireFormats:
    @pytest.mark.parametrize("wire_format", WIRE_FORMATS)
    def test_a_file_that_was_not_uploaded_is_never_sent(self, wire_format):
        with pytest.raises(InvalidRequestError, match=r"file:///a.png was not uploaded.*Nothing was sent or charged"):
            encode_inputs(a_request(first_frame=PICTURE), wire_format)

    @pytest.mark.parametrize("wire_format", WIRE_FORMATS)
    def test_its_url_is(self, wire_format):
        said = encode_inputs(a_request(first_frame=PICTURE).uploaded({"f1": URL}), wire_format)
        assert [URL] in said.values()

    def test_every_kind_has_its_place(self):
        request = a_request(reference_images=[PICTURE], reference_videos=[CLIP], reference_audios=[WAVES])
        said = encode_inputs(request.uploaded({"f1": "https://1/", "f2": "https://2/", "f3": "https://3/"}), "models")
        assert [said[key] for key in ("imageUrls", "videoUrls", "audioUrls")] == [
            ["https://1/"],
            ["https://2/"],
            ["https://3/"],
        ]


class TestChecks:
    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"first_frame": CLIP}, "first_frame is the file 's3://b/walk.mp4', and .jpg, .jpeg, .png, .webp are"),
            ({"first_frame": replace(PICTURE, kind="audio")}, "whose content is a sound, and an image is"),
            (
                {"reference_videos": [CLIP, replace(CLIP, kind="unreadable")]},
                "reference_videos 2 is the file 's3://b/walk.mp4', whose content can't be read as a video",
            ),
            (
                {"first_frame": replace(PICTURE, kind="image", format="HEIC")},
                "'file:///a.png', whose content is HEIC, and JPEG, PNG, WebP are accepted",
            ),
            ({"first_frame": replace(PICTURE, kind="unreadable", format="PDF")}, "content is PDF, and JPEG, PNG, WebP"),
            ({"reference_videos": [replace(CLIP, kind="image", format="GIF")]}, "content is an image, and a video is"),
            (
                {"reference_images": [replace(PICTURE, kind="image", format="PNG", pixels=200_000_001)]},
                "which has 200,000,001 pixels, and at most 200,000,000 are accepted",
            ),
            ({"first_frame": replace(PICTURE, size=0)}, "first_frame is the file 'file:///a.png', which is empty"),
            (
                {"reference_videos": [replace(CLIP, seconds=8.0)] * 2},
                "reference_videos are 16 s long, and seedance-20 takes 0 to 15 s in total",
            ),
            (
                {"reference_images": [PICTURE], "reference_audios": [WAVES] * 3},
                "reference_audios are 18 s long, and seedance-20 takes 0 to 15 s in total",
            ),
            (
                {"model": "seedance2-5", "reference_videos": [CLIP, replace(CLIP, seconds=1.0)]},
                "reference_videos 2 is 1 s long, and seedance2-5 takes 2 to 30 s each",
            ),
            ({"model": "seedance2-5", "reference_videos": [replace(CLIP, seconds=1.79)]}, "1 is 1.79 s long"),
            ({"model": "seedance2-5", "reference_videos": [replace(CLIP, seconds=30.21)]}, "1 is 30.21 s long"),
        ],
    )
    def test_what_is_wrong_with_a_file_is_told(self, fields, said):
        assert said in refusal(**fields)

    @pytest.mark.parametrize(
        ("name", "format", "told"),
        [("a.jpg", "WebP", ".webp"), ("a.webp", "PNG", ".png"), ("a.png", "JPEG", ".jpg or .jpeg")],
    )
    def test_a_picture_with_the_ending_of_another_format_is_told(self, name, format, told):
        file = replace(PICTURE, name=name, source=f"s3://b/{name}", kind="image", format=format)
        (warning,) = a_request(first_frame=file, last_frame=file).warnings
        assert warning == (
            f"The file 's3://b/{name}' is a {format} picture, and the API goes by the ending, which should be {told}."
        )

    @pytest.mark.parametrize(("name", "format"), [("a.JPEG", "JPEG"), ("a.png", "PNG"), ("a.png", None)])
    def test_the_right_ending_needs_no_word(self, name, format):
        file = replace(PICTURE, name=name, kind="image", format=format, pixels=199_756_800)
        assert a_request(first_frame=file).warnings == ()

    @pytest.mark.parametrize("seconds", [1.8, 2, 30, 30.2])
    def test_lengths_that_are_just_right(self, seconds):
        made = a_request(model="seedance2-5", duration=5, reference_videos=[replace(CLIP, seconds=seconds)])
        assert made.files[0].seconds == seconds

    def test_a_video_that_the_api_has_made_itself_is_not_too_long(self):
        made = a_request(reference_videos=[replace(CLIP, seconds=15.1, size=1)], prompt="@video1")
        assert made.reference_video_seconds == 15.1


class TestSeconds:
    def test_the_estimate_is_exact_where_the_length_of_the_files_is_known(self):
        inputs = {"model": "seedance2-5", "duration": 4}
        guessed = estimate(a_request(**inputs, reference_videos=["https://media.example/walk.mp4"]))
        exact = estimate(a_request(**inputs, reference_videos=[CLIP]))
        said = estimate(a_request(**inputs, reference_videos=[CLIP], reference_video_seconds=4))
        assert exact == said != guessed

    @pytest.mark.parametrize(
        ("given", "seconds"),
        [((), None), ((CLIP, CLIP), 8.0), ((CLIP, URL), None), ((PICTURE,), None), ("nonsense", None)],
    )
    def test_together(self, given, seconds):
        assert total_seconds(given) == seconds
