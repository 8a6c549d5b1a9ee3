"""The emulator over real HTTP, with the documented bodies to the letter."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor

import av
import pytest
import requests

from seedance_provider.emulator.settings import DEFAULT_KEY, DEMO_KEY
from tests.emulator.conftest import SMALL

QUICKSTART = {
    "prompt": "A serene Japanese garden with cherry blossoms swaying in the wind",
    "resolution": "1280x720",
    "duration": "5s",
}
PLAIN = {"prompt": QUICKSTART["prompt"], "aspectRatio": "16:9", "outputResolution": "720p", "duration": 5}
SAMPLES = {
    "demo_task_t2v_success": None,
    "demo_task_i2v_success": None,
    "demo_task_fail_text_moderation": "Your input text violates platform rules. Please modify and try again.",
    "demo_task_fail_face_detected": "Face detected in uploaded media. Please adjust your media and try again.",
    "demo_task_fail_server_error": "Video generation failed. Please try again.",
}


def answer(response):
    return response.status_code, response.json()


def message(response):
    status, body = answer(response)
    assert set(body) == {"message"}
    return status, body["message"]


@pytest.mark.parametrize(("generation", "inputs"), [("quickstart", QUICKSTART), ("models", PLAIN)])
def test_a_video_from_submission_to_file(start, clock, generation, inputs):
    client = start(generation=generation)
    created = client.create(inputs)
    assert created.status_code == 200
    assert created.headers["Content-Type"].startswith("application/json")
    task_id = created.json()["taskId"]
    assert created.json() == {"taskId": task_id}
    assert re.fullmatch(r"task_[a-z0-9]{24}", task_id)
    assert client.get(f"{client.url}/media/{task_id}.mp4").status_code == 404

    seen = []
    for seconds in (0, 1, 5):
        clock.advance(seconds)
        seen.append(client.record(task_id).json())
    assert [record["status"] for record in seen] == ["waiting", "generating", "success"]
    assert (seen[2]["taskId"], seen[2]["creditsUsed"]) == (task_id, 200)
    assert (seen[2]["createTime"], seen[2]["completeTime"]) == (1750000000000, 1750000006000)
    (output,) = seen[2]["output"]
    newest = {"mediaType", "lastFrameImage", "seed"} if generation == "models" else set()
    assert output.keys() == {"url", "width", "height"} | newest

    video = client.get(output["url"])
    assert (video.status_code, video.headers["Content-Type"]) == (200, "video/mp4")
    assert int(video.headers["Content-Length"]) == len(video.content)


class TestRefusals:
    @pytest.fixture
    def client(self, start):
        return start(keys={"rich": 10_000, "poor": 37.5})

    def test_body(self, client):
        headers = {"Authorization": "Bearer rich", "Content-Type": "application/json"}
        expected = (400, "Invalid request parameters")
        assert message(client.post(data=b"{", headers=headers)) == expected
        assert message(client.post(data=b"{}", headers={**headers, "Content-Type": "text/plain"})) == expected
        assert message(client.create(key="rich", callBackUrl="nowhere")) == expected

    def test_credits(self, client):
        expected = (402, {"message": "Insufficient credits", "required": 200, "available": 37.5})
        assert answer(client.create(PLAIN, key="poor")) == expected
        mini = {"prompt": "A cat", "outputResolution": "480p"}
        assert client.create(mini, model="seedance2.0-mini", key="poor").status_code == 200
        again = client.create(mini, model="seedance2.0-mini", key="poor")
        assert answer(again) == (402, {"message": "Insufficient credits", "required": 37.5, "available": 0})
        assert '"available": 0}' in again.text


class TestDemoKey:
    @pytest.mark.parametrize("key", [DEMO_KEY, DEFAULT_KEY])
    @pytest.mark.parametrize(("task_id", "error"), SAMPLES.items())
    def test_samples(self, start, key, task_id, error):
        record = start(generation="quickstart").record(task_id, key=key).json()
        assert (record["taskId"], record["error"]) == (task_id, error)
        assert (record["status"], record["creditsUsed"]) == (("fail", 0) if error else ("success", 200))
        assert (record["output"] is None) == (error is not None)

    @pytest.mark.parametrize("task_id", ["demo_task_t2v_success", "demo_task_i2v_success"])
    def test_samples_can_be_watched(self, client, tmp_path, task_id):
        url = client.record(task_id, key=DEMO_KEY).json()["output"][0]["url"]
        path = tmp_path / "sample.mp4"
        path.write_bytes(client.get(url).content)
        with av.open(str(path)) as container:
            assert container.duration / av.time_base == pytest.approx(5, abs=0.1)


class TestFailures:
    def test_only_the_first_submissions_fail(self, client, clock):
        ids = [client.create({"prompt": "A cat [fail:server_error:2]"}).json()["taskId"] for _ in range(3)]
        clock.advance(6)
        assert [client.record(task_id).json()["status"] for task_id in ids] == ["fail", "fail", "success"]
        assert client.get(f"{client.url}/media/{ids[0]}.mp4").status_code == 404

    def test_statuses_on_demand(self, client, clock):
        queued = client.create({"prompt": "[status:queued]"}).json()["taskId"]
        endless = client.create({"prompt": "[status:never_ends]"}).json()["taskId"]
        clock.advance(2)
        assert client.record(queued).json()["status"] == "queued"
        clock.advance(1_000_000)
        assert client.record(queued).json()["status"] == "success"
        assert client.record(endless).json()["status"] == "generating"


class TestMedia:
    @pytest.fixture
    def url(self, client, clock):
        task_id = client.create().json()["taskId"]
        clock.advance(6)
        return client.record(task_id).json()["output"][0]["url"]

    def test_a_part(self, client, url):
        whole = client.get(url)
        part = client.get(url, headers={"Range": "bytes=100-199", "If-Range": whole.headers["ETag"]})
        assert part.status_code == 206
        assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole.content)}"
        assert part.content == whole.content[100:200]
        assert whole.headers["Last-Modified"]
        assert client.get(url, headers={"Range": "bytes=999999999-"}).status_code == 416
        assert int(client.session.head(url, timeout=30).headers["Content-Length"]) == len(whole.content)

    def test_link_has_the_host_that_the_client_used(self, client):
        headers = {"Host": "seedance.test:8080", "Authorization": f"Bearer {DEMO_KEY}"}
        params = {"taskId": "demo_task_t2v_success"}
        record = client.get(f"{client.base_url}/jobs/recordInfo", params=params, headers=headers).json()
        assert record["output"][0]["url"] == "http://seedance.test:8080/media/demo_task_t2v_success.mp4"

    def test_file_matches_its_record(self, client, clock, tmp_path):
        inputs = {"prompt": "A cat", "duration": 4, "aspectRatio": "21:9", "outputResolution": "480p"}
        task_id = client.create(inputs, model="seedance2.0-mini").json()["taskId"]
        clock.advance(6)
        output = client.record(task_id).json()["output"][0]
        path = tmp_path / "video.mp4"
        path.write_bytes(client.get(output["url"]).content)
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            assert (stream.width, stream.height) == (output["width"], output["height"]) == (992, 432)
            assert stream.frames == 96


@pytest.mark.parametrize(
    ("settings", "accepted", "refused"),
    [({"concurrency_limit": 7}, 7, 429), ({"keys": {DEFAULT_KEY: 60 * 5 + 59}}, 5, 402)],
)
def test_neither_slots_nor_credits_are_given_twice(start, settings, accepted, refused):
    client = start(**settings)
    with ThreadPoolExecutor(20) as threads:
        statuses = list(threads.map(lambda _: _create_alone(client), range(40)))
    assert (statuses.count(200), statuses.count(refused)) == (accepted, 40 - accepted)
    assert client.ledger()["submissionCount"] == accepted


class TestOwnRoutes:
    def test_ledger_lists_accepted_submissions_in_order(self, client):
        ids = [client.create({"prompt": prompt}).json()["taskId"] for prompt in ("one", "two", "one")]
        ledger = client.ledger()
        assert [submission["taskId"] for submission in ledger["submissions"]] == ids
        assert ledger["submissionCount"] == 3
        assert ledger["credits"][_account(DEFAULT_KEY)] == {"granted": 100000, "charged": 600, "available": 99400}

    def test_ledger_shows_no_key(self, client):
        client.create()
        text = client.get(f"{client.url}/emulator/ledger").text
        assert DEFAULT_KEY not in text
        assert DEMO_KEY not in text

    @pytest.mark.parametrize("path", ["/", "/jobs/createTask", "/api/v1", "/api/v1/jobs/other", "/media/x.mp4"])
    def test_any_other_path_or_method_is_a_page(self, client, path):
        response = client.get(client.url + path)
        assert response.status_code == 404
        assert response.headers["Content-Type"].startswith("text/html")
        assert "<h1>404 Not Found</h1>" in response.text
        response = client.get(f"{client.base_url}/jobs/createTask")
        assert (response.status_code, response.text[:15]) == (405, "<!DOCTYPE html>")


def test_a_restart_forgets_nothing(start, clock, tmp_path):
    settings = {"state_file": tmp_path / "state.sqlite"}
    before = start(**settings)
    task_id = before.create().json()["taskId"]
    clock.advance(6)
    record = before.record(task_id).json()
    video = before.get(record["output"][0]["url"])

    after = start(**settings)
    assert after.record(task_id).json() == {**record, "output": [_moved(record["output"][0], before, after)]}
    assert after.ledger() == before.ledger()
    again = after.get(_moved(record["output"][0], before, after)["url"])
    assert again.headers["ETag"] == video.headers["ETag"]
    assert again.content == video.content


def test_an_unexpected_error_is_a_json_500(start, clock, monkeypatch, caplog):
    client = start()
    monkeypatch.setattr("seedance_provider.emulator.service.ledger", lambda *_: 1 / 0)
    response = client.get(f"{client.url}/emulator/ledger")
    assert answer(response) == (500, {"message": "Internal server error"})
    assert DEFAULT_KEY not in caplog.text


def _create_alone(client):
    return requests.post(
        f"{client.base_url}/jobs/createTask",
        json={"model": "seedance-20", "inputs": SMALL},
        headers={"Authorization": f"Bearer {DEFAULT_KEY}"},
        timeout=20,
    ).status_code


def _account(key):
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def _moved(output, before, after):
    links = {name: output[name].replace(before.url, after.url) for name in ("url", "lastFrameImage")}
    return output | links
