"""A real receiver on a real socket is called back once, in the form of each generation, and never again."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue

import pytest
import requests

from seedance_provider.emulator.server import running_emulator
from seedance_provider.emulator.settings import DEFAULT_KEY, Settings


class Receiver:
    """Remembers every POST, and answers with a status."""

    def __init__(self, status):
        self.posts = posts = Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                posts.put((dict(self.headers), body))

            def log_message(self, *_):
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/done"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def next(self):
        headers, body = self.posts.get(timeout=10)
        return headers, json.loads(body)


@pytest.fixture
def receiver():
    with Receiver(200) as running:
        yield running


def inputs_of(generation, prompt="A small boat"):
    return {
        "quickstart": {"prompt": prompt, "duration": "4s", "resolution": "720x720"},
        "docs": {"prompt": prompt, "duration": "4", "outputResolution": "480p"},
        "models": {"prompt": prompt, "duration": 4, "outputResolution": "480p"},
    }[generation]


@pytest.mark.parametrize("prompt", ["A small boat", "A small boat [fail:face_detected]"])
@pytest.mark.parametrize("generation", ["quickstart", "docs", "models"])
def test_the_result_is_posted_in_the_form_of_the_generation(start, clock, receiver, generation, prompt):
    client = start(generation=generation, host="127.0.0.1")
    task_id = client.create(inputs_of(generation, prompt), callBackUrl=receiver.url).json()["taskId"]
    clock.advance(60)
    headers, body = receiver.next()
    record = client.record(task_id).json()
    if generation == "quickstart":
        assert body == record
    else:
        assert (body["code"], body["message"]) == (200, "success")
        data = body["data"]
        assert data["taskId"] == task_id
        assert data["state" if generation == "docs" else "status"] == record["status"]
        assert (data["output"], data["error"]) == (record["output"], record["error"])
    assert headers["Content-Type"] == "application/json"
    assert not [name for name in headers if "signature" in name.lower() or name == "Authorization"]


def test_nothing_is_posted_before_the_task_has_ended(start, clock, receiver):
    client = start(waiting_seconds=10, generation_seconds=10)
    first = client.create(callBackUrl=receiver.url).json()["taskId"]
    clock.advance(15)
    second = client.create(callBackUrl=receiver.url).json()["taskId"]
    clock.advance(10)
    assert receiver.next()[1]["data"]["taskId"] == first
    clock.advance(10)
    assert receiver.next()[1]["data"]["taskId"] == second


def test_a_receiver_that_fails_is_not_asked_again(start, clock):
    with Receiver(500) as receiver:
        client = start()
        client.create(callBackUrl=receiver.url)
        clock.advance(60)
        receiver.next()
        # Whoever would be asked again, would be before somebody who asked later.
        client.create({"prompt": "another", "duration": 4, "outputResolution": "480p"}, callBackUrl=receiver.url)
        clock.advance(60)
        receiver.next()
        with pytest.raises(Empty):
            receiver.posts.get_nowait()


@pytest.mark.parametrize("nowhere", ["http://127.0.0.1:1/done", "http://127.0.0.1:99999/done"])
def test_a_receiver_that_is_not_there_does_not_keep_others_waiting(start, clock, receiver, nowhere):
    client = start()
    client.create(callBackUrl=nowhere)
    wanted = client.create(callBackUrl=receiver.url).json()["taskId"]
    clock.advance(60)
    assert receiver.next()[1]["data"]["taskId"] == wanted


def test_a_restart_posts_what_was_not_posted_and_nothing_twice(tmp_path, clock, receiver):
    settings = Settings(state_file=tmp_path / "state.sqlite")
    ids = []
    for _ in range(2):
        with running_emulator(settings, clock) as emulator:
            answer = requests.post(
                f"{emulator.base_url}/jobs/createTask",
                json={"model": "seedance-20", "inputs": inputs_of("models"), "callBackUrl": receiver.url},
                headers={"Authorization": f"Bearer {DEFAULT_KEY}"},
                timeout=10,
            )
            ids.append(answer.json()["taskId"])
            if len(ids) == 2:
                clock.advance(60)
                posted = [receiver.next()[1]["data"]["taskId"] for _ in ids]
    assert sorted(posted) == sorted(ids)
    with running_emulator(settings, clock):
        pass
    assert receiver.posts.empty()
