"""What holds for every call of both clients, against real servers on loopback: it ends, and shows no key."""

from __future__ import annotations

import asyncio
import gzip
import re
import signal
import subprocess
import threading
import time
import traceback
import tracemalloc
from urllib.parse import urlsplit

import aiohttp
import pytest

from seedance_provider.api import async_client as async_client_module
from seedance_provider.api import client as client_module
from seedance_provider.api.async_client import AsyncSeedanceClient
from seedance_provider.api.client import SeedanceClient
from seedance_provider.api.errors import (
    ConnectionLostError,
    ConnectionNotEstablishedError,
    InternalServerError,
    SeedanceError,
    TaskNotFoundError,
    UndocumentedRefusalError,
    UnexpectedResponseError,
    Verdict,
)
from seedance_provider.api.protocol import SeedanceProtocol
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.api.video_task import TaskStatus
from seedance_provider.network.environment import CA_VARIABLES
from tests.support.dribbling_server import DRIBBLES, DRIBBLES_BEFORE, FLOOD, dribbling_server
from tests.support.scripted_api import Answer, record, scripted_api
from tests.support.tls import tunnelling_proxy
from tests.unit.api.conftest import BROKEN_ANSWERS, KEY


def create(base_url):
    with SeedanceClient(SeedanceProtocol(KEY, base_url)) as client:
        return client.create_task(VideoRequest("A garden"))


def look(base_url, video_task_id="task_a"):
    with SeedanceClient(SeedanceProtocol(KEY, base_url)) as client:
        return client.get_task(video_task_id)


def look_async(base_url, video_task_id="task_a"):
    async def looked():
        async with AsyncSeedanceClient(SeedanceProtocol(KEY, base_url)) as client:
            return await client.get_task(video_task_id)

    return asyncio.run(looked())


@pytest.fixture(params=[create, look, look_async])
def call(request):
    return request.param


@pytest.fixture
def error_at(call):
    """Call an address, and return the error."""

    def error_at(base_url):
        with pytest.raises(SeedanceError) as caught:
            call(base_url)
        return caught.value

    return error_at


@pytest.fixture
def error_of(api, call, error_at):
    """Return the error after an answer of the scripted API, which was asked for a video once at most."""

    def error_of(answer):
        api.creations.append(answer)
        api.readings.append(answer)
        error = error_at(api.base_url)
        assert len(api.created) == (call is create)
        return error

    return error_of


@pytest.fixture
def memory():
    """The most that Python has held since, in bytes."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


@pytest.fixture
def soon(monkeypatch):
    """Calls end after a third of a second."""
    for name in ("_CREATE_SECONDS", "_READ_SECONDS"):
        monkeypatch.setattr(client_module, name, 0.3)
    monkeypatch.setattr(async_client_module, "_TIMEOUT", aiohttp.ClientTimeout(total=0.3, sock_connect=0.2))


class TestAnswers:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_not_followed(self, api, error_of, status):
        error = error_of(Answer(status, headers={"Location": f"{api.url}/elsewhere"}))
        assert type(error) is UndocumentedRefusalError
        assert f"a redirect to {api.url}/elsewhere, not followed" in str(error)
        assert len(api.asked) == 1

    def test_what_is_packed_is_not_unpacked(self, api, error_of, memory):
        packed = gzip.compress(b" " * 200_000_000, compresslevel=1)
        tracemalloc.reset_peak()
        assert type(error_of(Answer(200, packed, headers={"Content-Encoding": "gzip"}))) is UnexpectedResponseError
        assert api.asked[0].headers["Accept-Encoding"] == "identity"
        assert memory() < 40_000_000

    def test_a_page_without_end_is_cut_off(self, error_at, memory):
        with dribbling_server(*FLOOD, pause=0) as host:
            error = error_at(f"http://{host}")
        assert type(error) is UnexpectedResponseError
        assert "more than 4,194,304 bytes" in str(error)
        assert memory() < 40_000_000

    @pytest.mark.parametrize("answer", BROKEN_ANSWERS.values(), ids=BROKEN_ANSWERS)
    def test_a_broken_one_is_a_lost_connection_whose_traceback_shows_no_key(self, call, error_of, answer):
        error = error_of(answer)
        assert type(error) is ConnectionLostError
        assert error.verdict is (Verdict.UNKNOWN_OUTCOME if call is create else Verdict.TRANSIENT)
        assert KEY not in "".join(traceback.format_exception(error)) + repr(error)

    @pytest.mark.parametrize("machine", ["machine 127.0.0.1", "default"])
    def test_a_netrc_file_does_not_replace_the_key(self, api, call, tmp_path, monkeypatch, machine):
        netrc = tmp_path / "netrc"
        netrc.write_text(f"{machine} login somebody password else\n")
        monkeypatch.setenv("NETRC", str(netrc))
        for script in (api.creations, api.readings):
            script.append(Answer(200, record()))
        call(api.base_url)
        assert api.asked[0].headers["Authorization"] == f"Bearer {KEY}"

    @pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
    def test_the_proxy_of_the_environment_is_used(self, api, call, monkeypatch, variable):
        # HTTP_PROXY is not believed where REQUEST_METHOD is set, as in a CGI script.
        monkeypatch.delenv("REQUEST_METHOD", raising=False)
        monkeypatch.setenv(variable, api.url)
        for script in (api.creations, api.readings):
            script.append(Answer(200, record()))
        call("http://kinovi.invalid/api/v1")
        assert api.asked[0].headers["Host"] == "kinovi.invalid"


class TestNoConnection:
    """Nothing was sent."""

    @pytest.fixture
    def why(self, error_at):
        def why(base_url, host=None):
            error = error_at(base_url)
            assert type(error) is ConnectionNotEstablishedError
            assert KEY not in "".join(traceback.format_exception(error)) + repr(error)
            found = re.fullmatch(r"(.*) could not be reached: (.*)\. Nothing was sent\.", str(error))
            assert found[1] == (host or base_url)
            return found[2]

        return why

    def test_a_refused_port(self, why, refused_url):
        assert why(refused_url) == "Connection refused"

    def test_a_certificate_that_is_not_trusted(self, why, untrusted_url):
        assert why(untrusted_url) == (
            "certificate verify failed: self-signed certificate (is it your network's own CA? Name its file in "
            "REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE)"
        )

    def test_a_name_that_nobody_knows(self, why):
        assert re.fullmatch("[A-Z][a-z ]+", why("http://kinovi.invalid:81/v1", "http://kinovi.invalid:81"))

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_a_proxy_that_refuses(self, why, refused_url, monkeypatch, scheme):
        monkeypatch.setenv(f"{scheme}_proxy", refused_url.replace("://", "://proxy-user:proxy-pass@"))
        assert why(f"{scheme}://kinovi.invalid/v1", f"{scheme}://kinovi.invalid") == "proxy: Connection refused"

    def test_a_proxy_that_refuses_to_connect_us(self, api, why, monkeypatch):
        # The scripted server knows no CONNECT, as a proxy that forbids it.
        monkeypatch.setenv("https_proxy", api.url)
        assert re.match("proxy: .*501", why("https://kinovi.invalid/v1", "https://kinovi.invalid"))
        assert api.asked == []


@pytest.fixture
def ca_file(tmp_path):
    return tmp_path / "company.pem"


@pytest.fixture
def tls_api(ca_file):
    """The API behind the certificate of a company's own CA."""
    with scripted_api(ca_file) as running:
        for script in (running.creations, running.readings):
            script.append(Answer(200, record()))
        yield running


class TestACompanysCA:
    @pytest.mark.parametrize("variable", CA_VARIABLES)
    @pytest.mark.parametrize("kind", ["a file", "a folder"])
    def test_is_trusted_if_any_variable_names_it(self, tls_api, call, ca_file, monkeypatch, variable, kind):
        folder = ca_file.parent / "certificates"
        folder.mkdir()
        # Whoever looks into a folder looks for the hash of the name.
        command = ["openssl", "x509", "-hash", "-noout", "-in", str(ca_file)]
        name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        (folder / f"{name}.0").write_bytes(ca_file.read_bytes())
        monkeypatch.setenv(variable, str(ca_file if kind == "a file" else folder))
        call(tls_api.base_url)
        assert len(tls_api.asked) == 1

    def test_an_untrusted_one_names_the_variables_and_was_asked_for_nothing(self, tls_api, error_at):
        error = error_at(tls_api.base_url)
        assert type(error) is ConnectionNotEstablishedError
        assert "certificate verify failed: unable to get local issuer certificate" in str(error)
        assert "REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE" in str(error)
        assert tls_api.asked == []

    @pytest.mark.parametrize("content", [None, b"", b"no certificate"])
    def test_a_bundle_without_certificates_is_named(self, tls_api, error_at, tmp_path, monkeypatch, content):
        bundle = tmp_path / "broken.pem"
        if content is not None:
            bundle.write_bytes(content)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
        error = error_at(tls_api.base_url)
        assert type(error) is ConnectionNotEstablishedError
        assert str(bundle) in str(error)

    def test_its_proxy_may_stand_without_a_protocol(self, tls_api, call, ca_file, monkeypatch):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca_file))
        with tunnelling_proxy(urlsplit(tls_api.url).port) as (proxy, asked):
            monkeypatch.setenv("HTTPS_PROXY", proxy)
            call("https://seedance.example/api/v1")
        assert [line.rpartition(" ")[0] for line in asked] == ["CONNECT seedance.example:443"]
        assert len(tls_api.asked) == 1

    def test_a_proxy_of_another_kind_is_an_error_before_anything_is_sent(self, tls_api, error_at, monkeypatch):
        monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1080")
        error = error_at(tls_api.base_url)
        assert type(error) is ConnectionNotEstablishedError
        assert "socks" in str(error).lower()


@pytest.mark.usefixtures("soon")
class TestDeadline:
    @pytest.mark.parametrize(("first", "again"), DRIBBLES.values(), ids=DRIBBLES)
    def test_whatever_a_server_dribbles_it_ends_in_time(self, error_at, first, again):
        with dribbling_server(first, again) as host:
            started = time.monotonic()
            error = error_at(f"http://{host}")
        assert 0.2 < time.monotonic() - started < 5
        assert type(error) is ConnectionLostError
        assert str(error) == f"http://{host} did not answer completely: timed out."
        assert not any(isinstance(thread, threading.Timer) for thread in threading.enumerate())

    @pytest.mark.parametrize(("first", "again"), DRIBBLES_BEFORE.values(), ids=DRIBBLES_BEFORE)
    def test_whatever_dribbles_before_a_connection_is_there_it_ends_in_time(
        self, call, error_at, first, again, monkeypatch, request
    ):
        # Python does not close what is cut off before its handshake has begun, and certificates take time to load.
        monkeypatch.setattr(client_module, "_CREATE_SECONDS", 1)
        monkeypatch.setattr(client_module, "_READ_SECONDS", 1)
        with dribbling_server(first, again) as host:
            url = f"https://{host}"
            if "proxy" in request.node.callspec.id:
                monkeypatch.setenv("https_proxy", f"http://{host}")
                url = "https://kinovi.invalid"
            started = time.monotonic()
            error = error_at(url)
        assert time.monotonic() - started < 5
        assert error.verdict is Verdict.TRANSIENT
        assert "timed out." in str(error)
        if call is not look_async:
            assert str(error).endswith("timed out. Nothing was sent.")
        assert not any(isinstance(thread, threading.Timer) for thread in threading.enumerate())


class TestInterrupted:
    """As Airflow ends a task whose execution_timeout is over: no local variable of the traceback shows the key."""

    @staticmethod
    def shown_after(call, base_url):
        """Interrupt a call, and return all that a service which collects errors would show of it."""

        def interrupt(*_):
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        try:
            with pytest.raises((KeyboardInterrupt, TimeoutError)) as caught:
                call(base_url)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        shown, error = "", caught.value
        while error is not None:
            shown += "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
            error = error.__cause__ or error.__context__
        return shown

    @staticmethod
    def cancelled(base_url):
        async def looked():
            async with AsyncSeedanceClient(SeedanceProtocol(KEY, base_url)) as client:
                await asyncio.wait_for(client.get_task("task_a"), 0.3)

        asyncio.run(looked())

    @pytest.mark.parametrize("call", [create, look, look_async, cancelled])
    def test_while_waiting_for_an_answer(self, silent_url, call):
        assert KEY not in self.shown_after(call, silent_url)

    @pytest.mark.parametrize("call", [create, look, look_async, cancelled])
    def test_while_a_proxy_is_asked(self, silent_url, call, monkeypatch):
        monkeypatch.setenv("http_proxy", silent_url)
        assert KEY not in self.shown_after(call, "http://kinovi.invalid/api/v1")

    @pytest.mark.parametrize("call", [create, look, look_async, cancelled])
    def test_while_the_key_is_repeated(self, call):
        echo = f"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nBearer {KEY}".encode()
        with dribbling_server(echo, b"x") as host:
            assert KEY not in self.shown_after(call, f"http://{host}")


@pytest.mark.parametrize("look", [look, look_async])
class TestLooks:
    def test_the_request_that_arrives_is_the_quickstarts(self, api, look):
        video_task_id = "task a&b=\N{CHERRY BLOSSOM}"
        api.readings.append(Answer(200, record("success", video_task_id)))
        task = look(api.base_url, video_task_id)
        assert (task.status, task.video_url) == (TaskStatus.SUCCESS, "https://media.example/a.mp4")
        (asked,) = api.asked
        assert (asked.method, asked.path) == ("GET", "/api/v1/jobs/recordInfo")
        assert asked.query == {"taskId": [video_task_id]}
        assert asked.headers["Authorization"] == f"Bearer {KEY}"

    @pytest.mark.parametrize(
        ("answer", "error_class"),
        [
            (Answer(404, {"message": "Task not found"}), TaskNotFoundError),
            (Answer(400, {"message": "Invalid taskId"}), TaskNotFoundError),
            (Answer(500, {"message": "Internal server error"}), InternalServerError),
        ],
    )
    def test_errors_of_the_api_come_through_and_nothing_is_repeated(self, api, look, answer, error_class):
        api.readings.append(answer)
        with pytest.raises(error_class):
            look(api.base_url)
        assert len(api.asked) == 1

    @pytest.mark.parametrize(
        ("variable", "exception"),
        [
            ("https_proxy", ""),
            *(("http_proxy", name) for name in ("127.0.0.1", "example.com,127.0.0.1", "127.0.0.0/8", "*")),
        ],
    )
    def test_no_proxy_is_used_that_is_for_other_addresses(
        self, api, look, refused_url, monkeypatch, variable, exception
    ):
        monkeypatch.setenv(variable, refused_url)
        monkeypatch.setenv("no_proxy", exception)
        api.readings.append(Answer(200, record()))
        assert look(api.base_url).status is TaskStatus.SUCCESS
