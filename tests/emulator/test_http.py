"""The emulator over real HTTP, with the documented bodies to the letter."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor

import av
import pytest
import requests

from seedance_provider.emulator.failures import FAILURES
from seedance_provider.emulator.settings import DEFAULT_KEY, DEMO_KEY

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

    seen = []
    for seconds in (0, 1, 5):
        clock.advance(seconds)
        seen.append(client.record(task_id).json())
    assert [record["status"] for record in seen] == ["waiting", "generating", "success"]
    newest = {
        "mediaType": "video/mp4",
        "lastFrameImage": f"{client.url}/media/{task_id}-last.png",
        "seed": seen[2]["output"][0].get("seed"),
    }
    assert seen[2] == {
        "taskId": task_id,
        "model": "seedance-20",
        "status": "success",
        "creditsUsed": 200,
        "output": [
            {
                "url": f"{client.url}/media/{task_id}.mp4",
                "width": 1280,
                "height": 720,
                **(newest if generation == "models" else {}),
            }
        ],
        "error": None,
        "createTime": 1750000000000,
        "completeTime": 1750000006000,
    }

    video = client.get(seen[2]["output"][0]["url"])
    assert (video.status_code, video.headers["Content-Type"]) == (200, "video/mp4")
    assert int(video.headers["Content-Length"]) == len(video.content)


class TestRefusals:
    @pytest.fixture
    def client(self, start):
        return start(
            keys={"rich": 10_000, "poor": 37.5},
            inactive_keys=frozenset({"inactive"}),
            expired_keys=frozenset({"expired"}),
            no_access_keys=frozenset({"no-access"}),
            concurrency_limit=3,
        )

    @pytest.mark.parametrize(
        ("key", "expected"),
        [
            ("wrong", (401, "Invalid API Key")),
            ("inactive", (401, "API Key is inactive")),
            ("expired", (401, "API Key has expired")),
            ("no-access", (403, "API access not enabled for this account")),
        ],
    )
    def test_keys(self, client, key, expected):
        assert message(client.create(key=key)) == expected
        assert message(client.record("demo_task_t2v_success", key=key)) == expected

    def test_no_key(self, client):
        expected = (401, "Missing Authorization header")
        assert message(client.post(json={})) == expected
        assert message(client.get(f"{client.base_url}/jobs/recordInfo")) == expected

    def test_body(self, client):
        headers = {"Authorization": "Bearer rich", "Content-Type": "application/json"}
        expected = (400, "Invalid request parameters")
        assert message(client.post(data=b"{", headers=headers)) == expected
        assert message(client.post(data=b"{}", headers={**headers, "Content-Type": "text/plain"})) == expected
        assert message(client.create(key="rich", callBackUrl="nowhere")) == expected

    def test_model(self, client):
        assert message(client.create(key="rich", model="seedance-2.0")) == (400, "Unknown model")

    def test_inputs(self, client):
        assert answer(client.create({"prompt": "A cat", "duration": 16}, key="rich")) == (
            400,
            {
                "message": "Invalid inputs for model",
                "errors": [
                    {
                        "code": "too_big",
                        "message": "Duration must be between 4 and 15 seconds",
                        "path": ["duration"],
                    }
                ],
            },
        )

    def test_credits(self, client):
        expected = (402, {"message": "Insufficient credits", "required": 200, "available": 37.5})
        assert answer(client.create(PLAIN, key="poor")) == expected
        mini = {"prompt": "A cat", "outputResolution": "480p"}
        assert client.create(mini, model="seedance2.0-mini", key="poor").status_code == 200
        again = client.create(mini, model="seedance2.0-mini", key="poor")
        assert answer(again) == (402, {"message": "Insufficient credits", "required": 37.5, "available": 0})
        assert '"available": 0}' in again.text

    def test_concurrency(self, client, clock):
        assert [client.create(key="rich").status_code for _ in range(3)] == [200] * 3
        status, body = answer(client.create(key="rich"))
        assert status == 429
        assert body["message"].startswith("Concurrency limit reached (3). You have 3 tasks in progress. ")
        assert (body["limit"], body["current"]) == (3, 3)
        assert client.ledger()["submissionCount"] == 3
        clock.advance(6)
        assert client.create(key="rich").status_code == 200

    def test_record_info(self, client):
        task_id = client.create(key="rich").json()["taskId"]
        assert message(client.record(None, key="rich")) == (400, "Missing taskId parameter")
        assert message(client.record("", key="rich")) == (400, "Missing taskId parameter")
        assert message(client.record("1' OR '1'='1", key="rich")) == (400, "Invalid taskId")
        assert message(client.record("task_" + "0" * 24, key="rich")) == (404, "Task not found")
        assert message(client.record("demo_task_other", key="rich")) == (404, "Task not found")
        assert message(client.record(task_id, key="poor")) == (403, "Access denied")
        assert message(client.record(task_id, key=DEMO_KEY)) == (403, "Access denied")

    def test_nothing_is_charged(self, client):
        client.create({"prompt": ""}, key="rich")
        client.create(PLAIN, key="poor")
        ledger = client.ledger()
        assert ledger["submissions"] == []
        assert all(account["charged"] == 0 for account in ledger["credits"].values())


class TestDemoKey:
    @pytest.mark.parametrize("key", [DEMO_KEY, DEFAULT_KEY])
    @pytest.mark.parametrize(("task_id", "error"), SAMPLES.items())
    def test_samples(self, start, key, task_id, error):
        client = start(generation="quickstart")
        record = client.record(task_id, key=key).json()
        assert record["taskId"] == task_id
        assert record["error"] == error
        assert record["status"] == ("success" if error is None else "fail")
        assert record["creditsUsed"] == (200 if error is None else 0)
        assert (record["output"] is None) == (error is not None)

    @pytest.mark.parametrize("task_id", ["demo_task_t2v_success", "demo_task_i2v_success"])
    def test_samples_can_be_watched(self, client, tmp_path, task_id):
        url = client.record(task_id, key=DEMO_KEY).json()["output"][0]["url"]
        path = tmp_path / "sample.mp4"
        path.write_bytes(client.get(url).content)
        with av.open(str(path)) as container:
            assert container.duration / av.time_base == pytest.approx(5, abs=0.1)

    def test_cannot_create(self, client):
        expected = (402, {"message": "Insufficient credits", "required": 200, "available": 0})
        assert answer(client.create(PLAIN, key=DEMO_KEY)) == expected


class TestFailures:
    def test_every_marker(self, client, clock):
        ids = {name: client.create({"prompt": f"A cat [fail:{name}]"}).json()["taskId"] for name in FAILURES}
        clock.advance(5)
        assert {client.record(task_id).json()["status"] for task_id in ids.values()} == {"generating"}
        clock.advance(1)
        for name, task_id in ids.items():
            record = client.record(task_id).json()
            failure = FAILURES[name]
            assert (record["status"], record["output"]) == ("fail", None)
            assert record["error"] == {"code": failure.code, "message": failure.message}
            assert (record["creditsUsed"], record["completeTime"]) == (200, 1750000006000)
            assert client.get(f"{client.url}/media/{task_id}.mp4").status_code == 404
        assert client.ledger()["credits"][_account(DEFAULT_KEY)]["available"] == 100_000

    def test_only_the_first_submission_fails(self, client, clock):
        ids = [client.create({"prompt": "A cat [fail:server_error:1]"}).json()["taskId"] for _ in range(2)]
        clock.advance(6)
        assert [client.record(task_id).json()["status"] for task_id in ids] == ["fail", "success"]

    def test_errors_as_in_the_quickstart(self, start, clock):
        client = start(generation="quickstart")
        task_id = client.create({"prompt": "A cat [fail:backend_error]"}).json()["taskId"]
        clock.advance(6)
        record = client.record(task_id).json()
        assert record["error"] == "Generation failed. Please try again."
        assert (record["creditsUsed"], record["completeTime"]) == (0, None)

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

    def test_a_part_beyond_the_end(self, client, url):
        assert client.get(url, headers={"Range": "bytes=999999999-"}).status_code == 416

    def test_head(self, client, url):
        head = client.session.head(url, timeout=30)
        assert int(head.headers["Content-Length"]) == len(client.get(url).content)

    def test_link_has_the_host_that_the_client_used(self, client):
        headers = {"Host": "seedance.test:8080", "Authorization": f"Bearer {DEMO_KEY}"}
        params = {"taskId": "demo_task_t2v_success"}
        record = client.get(f"{client.base_url}/jobs/recordInfo", params=params, headers=headers).json()
        assert record["output"][0]["url"] == "http://seedance.test:8080/media/demo_task_t2v_success.mp4"

    def test_not_before_it_is_finished(self, client):
        task_id = client.create().json()["taskId"]
        assert client.get(f"{client.url}/media/{task_id}.mp4").status_code == 404

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


class TestConcurrentRequests:
    def test_the_limit_holds(self, start):
        client = start(concurrency_limit=7)
        with ThreadPoolExecutor(20) as threads:
            statuses = list(threads.map(lambda _: _create_alone(client), range(40)))
        assert (statuses.count(200), statuses.count(429)) == (7, 33)
        assert client.ledger()["submissionCount"] == 7

    def test_credits_are_not_spent_twice(self, start):
        client = start(keys={DEFAULT_KEY: 60 * 5 + 59})
        with ThreadPoolExecutor(20) as threads:
            statuses = list(threads.map(lambda _: _create_alone(client), range(40)))
        assert (statuses.count(200), statuses.count(402)) == (5, 35)


class TestOwnRoutes:
    def test_health(self, client):
        assert answer(client.get(f"{client.url}/emulator/health")) == (200, {"status": "ok"})

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
    def test_any_other_path_is_a_page(self, client, path):
        response = client.get(client.url + path)
        assert response.status_code == 404
        assert response.headers["Content-Type"].startswith("text/html")
        assert "<h1>404 Not Found</h1>" in response.text

    def test_wrong_method_is_a_page(self, client):
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
    inputs = {"prompt": "A cat", "duration": 4, "outputResolution": "480p"}
    return requests.post(
        f"{client.base_url}/jobs/createTask",
        json={"model": "seedance-20", "inputs": inputs},
        headers={"Authorization": f"Bearer {DEFAULT_KEY}"},
        timeout=20,
    ).status_code


def _account(key):
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def _moved(output, before, after):
    links = {name: output[name].replace(before.url, after.url) for name in ("url", "lastFrameImage")}
    return output | links
