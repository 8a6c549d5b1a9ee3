"""The key is nowhere but in the request's header, whatever the API answers and whoever looks at the objects."""

from __future__ import annotations

import asyncio
import copy
import io
import json
import pickle
import re
import socket
import threading
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from seedance_provider.api.async_client import AsyncSeedanceClient
from seedance_provider.api.client import SeedanceClient
from seedance_provider.api.errors import AuthenticationError, InvalidRequestError, SeedanceError
from seedance_provider.api.http_errors import HTTP_ERRORS
from seedance_provider.api.protocol import HttpResponse, SeedanceProtocol
from seedance_provider.api.task_failures import failure_of
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.hooks.connection_settings import ConnectionSettings, ConnectionSettingsError
from seedance_provider.hooks.seedance import SeedanceHook
from seedance_provider.hooks.seedance import _read as read_connection
from seedance_provider.network.addresses import AddressRule
from seedance_provider.operators.seedance import CreateVideoOperator
from seedance_provider.sensors.seedance import VideoSensor
from seedance_provider.transfers.upload_reference import UploadReferenceOperator
from seedance_provider.transfers.video_to_object_storage import VideoToObjectStorageOperator
from seedance_provider.triggers.account import Account
from seedance_provider.waiting.video_wait import VideoWait
from tests.support.key_search import spellings
from tests.support.scripted_api import Answer, record, scripted_api
from tests.support.task_context import StateStore, context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "sk_live/3f9a+7c21-unit"
GARDEN = VideoRequest("A garden")
PROTOCOL = SeedanceProtocol(KEY, "https://api.example/api/v1")

ECHOES = {
    "a message": Answer(401, {"message": f"Invalid API Key: {KEY}"}),
    "an undocumented message": Answer(401, {"message": f"{KEY} is no key of ours"}),
    "what it says of a field": Answer(
        400,
        {
            "message": "Invalid inputs for model",
            "errors": [{"path": ["headers"], "message": f"got Authorization: Bearer {KEY}"}],
        },
    ),
    "a figure": Answer(429, {"message": "Concurrency limit reached", "limit": KEY, "current": [KEY]}),
    "figures of credits": Answer(402, {"message": "Insufficient credits", "required": KEY, "available": {"of": KEY}}),
    "JSON of another shape": Answer(503, {"headers": {"Authorization": f"Bearer {KEY}"}}),
    "JSON that escapes slashes": Answer(503, json.dumps({"key": KEY}).replace("/", "\\/").encode()),
    "an address": Answer(503, b"GET /?key=sk_live%2F3f9a%2B7c21-unit", content_type="text/plain"),
    "a path": Answer(503, b"GET /sk_live/3f9a%2B7c21-unit", content_type="text/plain"),
    "a text": Answer(502, f"Bad gateway. Authorization: Bearer {KEY}".encode(), content_type="text/plain"),
    "a text that is cut in the middle of it": Answer(
        502, b"x" * 190 + f" {KEY} and more".encode(), content_type="text/plain"
    ),
    "a page": Answer(502, f"<html>Authorization: Bearer {KEY}</html>".encode(), content_type="text/html"),
    "a content type": Answer(502, b"", content_type=f"text/{KEY}"),
    "a 200 that is no JSON": Answer(200, f"Authorization: Bearer {KEY}".encode()),
    "a text in UTF-16": Answer(502, f"Bearer {KEY}".encode("utf-16"), content_type="text/plain"),
    "a text in UTF-16 of the other kind": Answer(502, f"Bearer {KEY}".encode("utf-16-be"), content_type="text/plain"),
    "a text in UTF-32": Answer(502, f"Bearer {KEY}".encode("utf-32"), content_type="text/plain"),
    "a page in UTF-16": Answer(403, f"<html><title>No {KEY}</title></html>".encode("utf-16-le"), "text/html"),
    "a message in UTF-16": Answer(401, json.dumps({"message": f"Invalid API Key: {KEY}"}).encode("utf-16")),
    "JSON that has numbers for characters": Answer(
        503, ('{"key": "' + "".join(f"\\u{ord(character):04x}" for character in KEY) + '"}').encode()
    ),
    "a list": Answer(200, [KEY]),
    "an id that can't be one": Answer(200, {"taskId": f"Bearer {KEY}"}),
    "an id that is cut in the middle of it": Answer(200, {"taskId": "x" * 190 + f" {KEY} and more"}),
    "a record without a status": Answer(200, {"status": None, "error": KEY}),
    "a record of another video task": Answer(200, record(KEY, "an other", error=KEY)),
    "the target of a redirect": Answer(302, headers={"Location": f"https://a.example/?key={KEY}"}),
    "a target that is cut in the middle of it": Answer(302, headers={"Location": "/" + "x" * 190 + KEY}),
    "the title of a page": Answer(403, f"<html><title>No {KEY}</title></html>".encode(), content_type="text/html"),
    "a title that is cut in the middle of it": Answer(403, f"<html><title>{'x' * 70}{KEY}</title></html>".encode()),
    "a text with a 429": Answer(429, f"slow down, {KEY}".encode(), content_type="text/plain"),
    "how it is packed": Answer(200, b"", headers={"Content-Encoding": KEY}),
}
GARBAGE = {
    "the status line": f"Bearer {KEY}\r\n\r\n",
    "the version": f"HTTP/{KEY} 200 OK\r\n\r\n",
    "a header": f"HTTP/1.1 200 OK\r\nAuthorization Bearer {KEY}\r\n\r\n",
    "the length": f"HTTP/1.1 200 OK\r\nContent-Length: {KEY}\r\n\r\n",
    "the length of a chunk": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{KEY}\r\nabc",
}


@contextmanager
def babbling(said: str) -> Iterator[str]:
    """The address of a server that answers everything with the same bytes, HTTP or not."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(said.encode())

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/api/v1"
        server.shutdown(socket.SHUT_RDWR)


def create(base_url: str) -> None:
    with SeedanceClient(SeedanceProtocol(KEY, base_url)) as client:
        client.create_task(GARDEN)


def poll(base_url: str) -> None:
    with SeedanceClient(SeedanceProtocol(KEY, base_url)) as client:
        client.get_task("task_a")


def look_on_a_loop(base_url: str) -> None:
    async def looking():
        async with AsyncSeedanceClient(SeedanceProtocol(KEY, base_url)) as client:
            await client.get_task("task_a")

    asyncio.run(looking())


def upload(base_url: str) -> None:
    with SeedanceClient(SeedanceProtocol(KEY, base_url)) as client:
        client.upload(io.BytesIO(b"a picture"), "a.png", 9)


def raised_by(call: Callable[..., Any], *arguments: Any) -> SeedanceError:
    with pytest.raises(SeedanceError) as caught:
        call(*arguments)
    return caught.value


def linked(error: BaseException | None) -> list[BaseException]:
    """An error and whatever it drags along, suppressed contexts included."""
    found: list[BaseException] = []
    while error is not None:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def collected(error: BaseException) -> str:
    """All that a service which collects errors could find: texts, attributes, requests, local variables, pickles."""
    said = ["".join(traceback.format_exception(error))]
    for each in linked(error):
        said += [str(each), repr(each), repr(each.args), repr(vars(each)), repr(pickle.dumps(each))]
        for name in ("request", "response", "request_info"):
            said.append(repr(getattr(getattr(each, name, None), "headers", "")))
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if frame.f_globals["__name__"].startswith("seedance_provider"):
                said += [f"{name}={value!r}" for name, value in frame.f_locals.items()]
    return "\n".join(said)


def assert_without_key(text: str) -> None:
    # As somebody could put it together: of UTF-16, and of JSON that has numbers for characters.
    text = text.replace("\\x00", "").replace("\0", "")
    text = re.sub(r"\\+u00([2-7][0-9a-f])", lambda found: chr(int(found[1], 16)), text)
    assert [spelling for spelling in spellings(KEY) if spelling in text] == []
    # Nor a part of it, where something was cut.
    assert "sk_live" not in text
    assert "7c21-unit" not in text


class TestAnApiThatRepeatsTheKeyIn:
    @pytest.mark.parametrize("call", [create, poll, look_on_a_loop, upload])
    @pytest.mark.parametrize("answer", ECHOES.values(), ids=ECHOES)
    def test_is_not_quoted(self, api, answer, call):
        api.creations.append(answer)
        api.readings.append(answer)
        error = raised_by(call, api.base_url)
        assert_without_key(collected(error))
        assert_without_key(json.dumps(error.summary(), default=repr))

    @pytest.mark.parametrize("call", [create, poll, look_on_a_loop])
    @pytest.mark.parametrize("said", GARBAGE.values(), ids=GARBAGE)
    def test_what_is_no_http_is_not_quoted_either(self, said, call):
        with babbling(said) as base_url:
            assert_without_key(collected(raised_by(call, base_url)))

    @pytest.mark.parametrize("known", HTTP_ERRORS, ids=lambda known: f"{known.status} {known.reason}")
    def test_every_refusal_keeps_its_class_and_loses_the_key(self, api, known):
        api.readings.append(Answer(known.status, {"message": f"{known.prefix} ({KEY})"}))
        error = raised_by(poll, api.base_url)
        assert error.reason == known.reason or known.status == 400
        assert_without_key(collected(error))

    def test_the_record_of_a_failed_video_is_read_without_it(self, api):
        broken = {"code": KEY, "message": f"Your input text violates platform rules: {KEY}"}
        api.readings.append(Answer(200, record("fail", error=broken)))
        with SeedanceClient(SeedanceProtocol(KEY, api.base_url)) as client:
            task = client.get_task("task_a")
        assert failure_of(task).reason == "text_moderation"
        assert_without_key(json.dumps(task.to_json()) + str(failure_of(task)))

    def test_a_status_is_read_without_it(self, api):
        api.readings.append(Answer(200, record(f"checking {KEY}")))
        with SeedanceClient(SeedanceProtocol(KEY, api.base_url)) as client:
            task = client.get_task("task_a")
        assert task.raw_status == "checking ***"
        assert_without_key(repr(VideoWait("task_a", 0.0, 1e12).on_task(task, 1.0)))

    @pytest.mark.parametrize("fields", [{"model": f"seedance {KEY}"}, {"output": [{"mediaType": f"video/{KEY}"}]}])
    def test_a_model_and_a_type_are_read_without_it(self, api, fields):
        api.readings.append(Answer(200, record() | fields))
        with SeedanceClient(SeedanceProtocol(KEY, api.base_url)) as client:
            assert_without_key(json.dumps(client.get_task("task_a").to_json()))

    def test_an_id_and_an_address_stay_because_by_them_a_video_is_found(self):
        protocol = SeedanceProtocol("task_abc", "https://api.example")
        assert protocol.read_created(HttpResponse(200, {}, b'{"taskId": "task_abcdef"}')) == "task_abcdef"
        kept = json.dumps(record(video_task_id="task_abcdef")).encode()
        task = protocol.read_record(HttpResponse(200, {}, kept), "task_abcdef")
        assert (task.video_task_id, task.video_url) == ("task_abcdef", "https://media.example/a.mp4")

    def test_a_refusal_is_known_by_its_text_as_it_came(self):
        protocol = SeedanceProtocol("Authorization", "https://api.example")
        with pytest.raises(AuthenticationError, match=r"Missing \*\*\* header") as caught:
            protocol.read_created(HttpResponse(401, {}, b'{"message": "Missing Authorization header"}'))
        assert caught.value.reason == "missing_key"

    def test_a_key_as_short_as_a_word_is_left_in_it(self):
        assert SeedanceProtocol("key", "https://api.example").without_key("Invalid API key") == "Invalid API key"

    @pytest.mark.parametrize(
        ("answer", "figures"),
        [
            (
                Answer(429, {"message": "Concurrency limit reached", "limit": "3", "current": True}),
                {"limit": None, "current": None},
            ),
            (
                Answer(402, {"message": "Insufficient credits", "required": 200, "available": 0.5}),
                {"required": 200, "available": 0.5},
            ),
        ],
    )
    def test_what_is_no_number_is_no_figure(self, api, answer, figures):
        api.creations.append(answer)
        error = raised_by(create, api.base_url)
        assert {name: getattr(error, name) for name in figures} == figures

    @pytest.mark.parametrize("call", [create, upload])
    def test_an_answer_without_what_was_asked_for_is_not_quoted_either(self, api, call):
        api.creations.append(Answer(200, {"headers": {"Authorization": f"Bearer {KEY}"}}))
        assert_without_key(collected(raised_by(call, api.base_url)))


class TestAnError:
    @pytest.mark.parametrize("call", [create, poll, look_on_a_loop])
    def test_of_a_lost_connection_drags_no_request_along(self, api, call):
        for script in (api.creations, api.readings):
            script.append(Answer(hang_up=True))
        error = raised_by(call, api.base_url)
        assert linked(error) == [error]
        assert_without_key(collected(error))

    def test_of_a_task_drags_nothing_along_either(self, api, monkeypatch):
        """All of what a task raises, as far as Airflow or a service that collects errors can see it."""
        connection = {"conn_type": "seedance", "host": api.base_url, "password": KEY}
        monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", json.dumps(connection))
        api.creations.append(ECHOES["a message"])
        task = CreateVideoOperator(task_id="create", prompt="A garden")
        store = StateStore()
        made = context(store)
        made["task"] = task
        with pytest.raises(Exception, match="Invalid API Key") as caught:
            task.execute(made)
        assert isinstance(caught.value.__cause__, AuthenticationError)
        assert_without_key(collected(caught.value))
        assert_without_key(json.dumps([made["ti"].xcoms, store.values, store.writes]))

    def test_of_a_connection_that_can_not_work_keeps_no_frame_with_it(self, monkeypatch):
        connection = {"conn_type": "seedance", "password": KEY, "extra": {"speed": 1}}
        monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", json.dumps(connection))
        error = raised_by(SeedanceHook().get_settings)
        assert isinstance(error, ConnectionSettingsError)
        assert_without_key(collected(error))
        assert_without_key(collected(raised_by(lambda: asyncio.run(SeedanceHook().aget_settings()))))

    def test_that_ends_a_task_keeps_no_frame_with_a_connection_either(self, monkeypatch):
        class Interrupted(ConnectionSettings):
            @classmethod
            def from_connection(cls, connection):
                password = connection
                raise KeyboardInterrupt(len(password))

        monkeypatch.setattr("seedance_provider.hooks.seedance.ConnectionSettings", Interrupted)
        with pytest.raises(KeyboardInterrupt) as caught:
            read_connection(KEY)
        frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
        assert_without_key("".join(repr(frame.f_locals) for frame in frames[1:]))

    def test_survives_a_copy_as_it_is(self, api):
        api.readings.append(ECHOES["a message"])
        error = raised_by(poll, api.base_url)
        for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 - our own
            assert (str(twin), vars(twin)) == (str(error), vars(error))


class TestAnObject:
    @pytest.mark.parametrize(
        "made",
        [
            PROTOCOL,
            ConnectionSettings(KEY),
            PROTOCOL.create_task(GARDEN)["models"],
            PROTOCOL.record_info("task_a"),
            PROTOCOL.ask_for_upload("a.png"),
            HttpResponse(200, {"X-Echo": KEY}, KEY.encode()),
        ],
        ids=lambda made: type(made).__name__,
    )
    def test_of_values_does_not_show_it(self, made):
        assert_without_key(repr(made) + str(made) + f"{[made]}")

    def test_that_sends_does_not_show_it(self):
        with SeedanceClient(PROTOCOL) as client:
            assert_without_key(repr(client) + str(client) + repr(vars(client)))

    async def test_that_sends_on_a_loop_does_not_show_it(self):
        async with AsyncSeedanceClient(PROTOCOL) as client:
            assert_without_key(repr(client) + str(client) + repr(vars(client)))

    async def test_that_triggers_share_does_not_show_it(self, monkeypatch):
        monkeypatch.setenv("AIRFLOW_CONN_SHARED", json.dumps({"conn_type": "seedance", "password": KEY}))
        account = Account.join("shared")
        try:
            await account.client()
            assert_without_key(repr(account) + str(account) + repr(vars(account)))
        finally:
            await account.leave()

    def test_that_a_hook_is_does_not_have_it_even_when_it_was_used(self, monkeypatch):
        monkeypatch.setenv("AIRFLOW_CONN_SEEDANCE_DEFAULT", json.dumps({"conn_type": "seedance", "password": KEY}))
        hook = SeedanceHook()
        assert hook.get_settings().api_key == KEY
        assert_without_key(repr(hook) + repr(vars(hook)) + repr(pickle.dumps(hook.__dict__)))

    @pytest.mark.parametrize(
        "task",
        [
            CreateVideoOperator(task_id="a", prompt="b"),
            VideoSensor(task_id="a", video_task_id="b"),
            UploadReferenceOperator(task_id="a", source="/a.png"),
            VideoToObjectStorageOperator(task_id="a", video="https://a.example/a.mp4", destination="/a.mp4"),
        ],
        ids=lambda task: type(task).__name__,
    )
    def test_that_a_dag_file_has_takes_none(self, task):
        """There is no parameter for a key: whatever a task is declared with is shown in the UI."""
        given = [name for name in vars(task) if "key" in name.lower() and name != "key"]
        assert given == []
        assert not any("key" in name for name in task.template_fields)


class TestAFileIsNotPut:
    """Where a file goes is said by the API, so that must not lead into the own network."""

    @pytest.mark.parametrize(
        "address",
        ["http://127.0.0.1:{port}/put", "http://localhost:{port}/put", "http://[::ffff:127.0.0.1]:{port}/put"],
    )
    def test_into_the_own_network(self, monkeypatch, address):
        with scripted_api() as api, scripted_api() as internal:
            place = address.format(port=internal.url.rpartition(":")[2])
            api.creations.append(Answer(200, {"uploadUrl": f"{place}?signature=s3cret", "url": "https://a.example/a"}))
            # As if the API were a public one.
            monkeypatch.setattr("seedance_provider.api.client.AddressRule.beside", lambda _: AddressRule())
            error = raised_by(upload, api.base_url)
        assert isinstance(error, InvalidRequestError)
        assert "no public address" in str(error)
        assert "s3cret" not in str(error)
        assert linked(error) == [error]
        assert internal.asked == []
        assert [asked.path for asked in api.asked] == ["/api/v1/uploads"]

    def test_anywhere_with_the_key(self):
        with scripted_api() as api:
            api.creations.append(Answer(200, {"uploadUrl": f"{api.url}/put?s=1", "url": "https://a.example/a"}))
            api.readings.append(Answer(200))
            upload(api.base_url)
        asked, put = api.asked
        assert asked.headers["Authorization"] == f"Bearer {KEY}"
        assert (put.method, put.path, put.body) == ("PUT", "/put", b"a picture")
        assert set(put.headers) <= {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"} | {
            "Content-Type",
            "Content-Length",
        }
