"""Faults on demand: what is decided, what the client sees, and what is remembered."""

from __future__ import annotations

import socket
import time

import pytest
import requests

from seedance_provider.emulator.fault_store import FaultStore
from seedance_provider.emulator.faults import FAULTS, InvalidRuleError, Rule, read_rule
from tests.emulator.conftest import SMALL, create
from tools.emulator_process import EmulatorProcess
from tools.waiting import wait_until

HALF = {"fault": "internal_error", "on": "createTask", "probability": 0.5}


def strikes(rule, requests_seen=40):
    """Which of the next requests are struck."""
    return [Rule(**rule.to_json() | {"seen": seen}).strikes() for seen in range(requests_seen)]


class TestRule:
    def test_the_same_seed_strikes_the_same_requests(self):
        assert strikes(read_rule(HALF, seed=1)) == strikes(read_rule(HALF, seed=1))
        assert strikes(read_rule(HALF, seed=1)) != strikes(read_rule(HALF, seed=2))
        assert set(strikes(read_rule(HALF, seed=1))) == {True, False}

    @pytest.mark.parametrize(("count", "expected"), [(2, [True, True, False, False]), (None, [True] * 4)])
    def test_strikes_no_more_than_the_count(self, count, expected):
        rule = read_rule({"fault": "slow", "on": "media", "count": count}, seed=0)
        assert [Rule(**rule.to_json() | {"struck": struck}).strikes() for struck in range(4)] == expected

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ("slow", "a fault is an object"),
            ({"fault": [], "on": "media"}, "fault is one of connection_refused"),
            ({"fault": "slower", "on": "media"}, "fault is one of connection_refused"),
            ({"fault": "slow"}, "on is one of createTask, recordInfo, media, uploads, put for slow; not None"),
            ({"fault": "vanish", "on": "createTask"}, "on is one of recordInfo for vanish"),
            ({"fault": "slow", "on": "media", "probability": 1.5}, "probability is a number from 0 to 1"),
            ({"fault": "slow", "on": "media", "count": -1}, "count is a whole number"),
            ({"fault": "slow", "on": "media", "seconds": "long"}, "seconds is a number"),
            ({"fault": "slow", "on": "media", "often": True}, "unknown: often"),
            ({"fault": "slow", "on": "media", "prompt": 7}, "prompt is a text"),
        ],
    )
    def test_refuses_what_cannot_be_meant(self, given, said):
        with pytest.raises(InvalidRuleError, match=said):
            read_rule(given, seed=0)


class TestStore:
    @pytest.fixture
    def open_store(self, tmp_path):
        opened = []

        def open_it():
            opened.append(FaultStore(tmp_path / "state.sqlite"))
            return opened[-1]

        yield open_it
        for store in opened:
            store.close()

    def test_goes_on_after_a_restart_with_the_same_flags(self, open_store):
        flags = [Rule("slow", "media", count=2)]
        before = open_store()
        before.start_with(flags)
        assert before.strike("media").fault == "slow"

        after = open_store()
        after.start_with(flags)
        assert after.strike("media").fault == "slow"
        assert after.strike("media") is None

    def test_other_flags_replace_the_rules_and_none_leave_them(self, open_store):
        open_store().replace_rules([Rule("slow", "media")])
        for flags, faults in [([], ["slow"]), ([Rule("media_error", "media")], ["media_error"])]:
            after = open_store()
            after.start_with(flags)
            assert [rule.fault for rule in after.rules()] == faults


class TestPrompts:
    @pytest.mark.parametrize(("prompt", "is_about"), [("kite", [True, False, False, False]), (None, [True] * 4)])
    def test_a_rule_with_a_prompt_is_about_those_that_have_it(self, prompt, is_about):
        rule = Rule("slow", "media", prompt=prompt)
        assert [rule.is_about(given) for given in ("A kite", "A boat", "", None)] == is_about

    def test_other_prompts_are_neither_spoiled_nor_counted(self, client):
        client.set_faults(on("createTask", "expired_key", prompt="kite", count=1))
        prompts = ["A boat", "A kite", "A kite"]
        statuses = [client.create(SMALL | {"prompt": prompt}).status_code for prompt in prompts]
        assert statuses == [200, 401, 200]
        (rule,) = client.get(f"{client.url}/emulator/faults").json()["faults"]
        assert (rule["seen"], rule["struck"]) == (2, 1)

    def test_looks_have_the_prompt_of_their_task(self, client):
        boat, kite = (client.create(SMALL | {"prompt": prompt}).json()["taskId"] for prompt in ("A boat", "A kite"))
        client.set_faults(on("recordInfo", "internal_error", prompt="kite"))
        assert [client.record(task_id).status_code for task_id in (boat, kite)] == [200, 500]


def injected(client):
    return client.get(f"{client.url}/emulator/faults").json()["injected"]


def on(place, fault, **options):
    return {"on": place, "fault": fault, **options}


class TestCreateTask:
    @pytest.mark.parametrize(
        ("fault", "status", "text"),
        [
            ("internal_error", 500, '{"message": "Internal server error"}'),
            ("rate_limited", 429, '{"message": "Too many requests"}'),
            ("concurrency_limit", 429, "Concurrency limit reached"),
            ("bad_gateway_before", 502, "<title>Bad Gateway</title>"),
            ("bad_gateway_after", 502, "<title>Bad Gateway</title>"),
            ("unavailable_before", 503, "<title>Service Unavailable</title>"),
            ("unavailable_after", 503, "<title>Service Unavailable</title>"),
            ("gateway_timeout_before", 504, "<title>Gateway Timeout</title>"),
            ("gateway_timeout_after", 504, "<title>Gateway Timeout</title>"),
            ("html_page_before", 200, "<html>"),
            ("html_page_after", 200, "<html>"),
            ("broken_json_before", 200, "'taskId'"),
            ("broken_json_after", 200, "'taskId'"),
            ("empty_before", 200, ""),
            ("empty_after", 200, ""),
            ("cut_json_after", 200, '{"taskId"'),
            ("slow", 200, '"task_'),
            ("connection_refused", 200, '"task_'),
            ("never_ends", 200, '"task_'),
        ],
    )
    def test_answers_as_asked(self, client, fault, status, text):
        client.set_faults(on("createTask", fault, count=1, seconds=0.1))
        answer = client.create()
        assert (answer.status_code, text in answer.text) == (status, True), answer.text
        if fault.startswith("empty"):
            assert answer.content == b""

    @pytest.mark.parametrize("name", ["reset", "timeout"])
    @pytest.mark.parametrize("moment", ["before", "after"])
    def test_hangs_up(self, client, name, moment):
        client.set_faults(on("createTask", f"{name}_{moment}", seconds=0.1))
        with pytest.raises(requests.ConnectionError) as raised:
            client.create()
        assert ("Connection reset by peer" in str(raised.value)) is (name == "reset")
        assert client.ledger()["submissionCount"] == (moment == "after")

    @pytest.mark.parametrize("fault", [name for name, fault in FAULTS.items() if "createTask" in fault.places])
    def test_the_ledger_and_the_list_of_faults_agree(self, client, fault):
        client.set_faults(on("createTask", fault, count=1, seconds=0.1))
        try:
            client.create()
        except requests.ConnectionError:
            client.session.close()
        client.wait_for_the_end_of_an_outage()

        submissions = client.ledger()["submissions"]
        (noted,) = injected(client)
        assert (noted["fault"], noted["on"], noted["prompt"]) == (fault, "createTask", SMALL["prompt"])
        assert noted["accepted"] is bool(submissions) is FAULTS[fault].handles
        assert noted["taskId"] == (submissions[0]["taskId"] if submissions else None)

    def test_a_refused_request_is_spoiled_as_well(self, client):
        client.set_faults(on("createTask", "empty_after"))
        answer = client.create({"prompt": ""})
        assert answer.content == b""
        assert injected(client)[0]["accepted"] is False


def test_connections_are_refused_for_a_while(client):
    client.set_faults(on("createTask", "connection_refused", count=1, seconds=1))
    assert client.create().ok
    host, port = client.url.removeprefix("http://").split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)
    client.wait_for_the_end_of_an_outage()
    assert client.create().ok


class TestRecordInfo:
    @pytest.fixture
    def task_id(self, client):
        return client.create().json()["taskId"]

    @pytest.mark.parametrize("fault", [name for name, fault in FAULTS.items() if "recordInfo" in fault.places])
    def test_is_noted_with_its_prompt(self, client, task_id, fault):
        client.set_faults(on("recordInfo", fault, count=1, seconds=0.1))
        try:
            client.record(task_id)
        except requests.ConnectionError:
            client.session.close()
        client.wait_for_the_end_of_an_outage()
        (noted,) = injected(client)
        assert (noted["fault"], noted["taskId"], noted["prompt"]) == (fault, task_id, SMALL["prompt"])
        assert noted["accepted"] is False

    def test_a_status_that_nobody_knows_shows_nothing(self, client, clock, task_id):
        clock.advance(60)
        client.set_faults(on("recordInfo", "unknown_status", count=1))
        spoiled, honest = client.record(task_id).json(), client.record(task_id).json()
        assert (spoiled["status"], spoiled["output"]) == ("reviewing", None)
        assert honest["status"] == "success"

    @pytest.mark.parametrize(("fault", "statuses"), [("task_not_found", [404, 200]), ("vanish", [404, 404])])
    def test_is_not_found_once_or_for_good(self, client, task_id, fault, statuses):
        other = client.create().json()["taskId"]
        client.set_faults(on("recordInfo", fault, count=1))
        assert [client.record(task_id).status_code for _ in range(2)] == statuses
        assert client.record(other).status_code == 200
        assert client.ledger()["submissionCount"] == 2


class TestMedia:
    @pytest.fixture
    def url(self, client, clock):
        task_id = client.create().json()["taskId"]
        clock.advance(60)
        return client.record(task_id).json()["output"][0]["url"]

    @pytest.mark.parametrize(("fault", "status"), [("media_expired", 403), ("media_error", 500), ("slow", 200)])
    def test_answers_as_asked(self, client, url, fault, status):
        client.set_faults(on("media", fault, count=1, seconds=0.1))
        assert client.get(url).status_code == status
        assert client.get(url).ok

    @pytest.mark.parametrize("fault", ["media_cut", "media_wrong_length", "media_stalled", "media_changed"])
    def test_ends_in_the_middle(self, client, url, fault):
        whole = client.get(url).content
        client.set_faults(on("media", fault, count=1, seconds=0.1))
        with client.session.get(url, stream=True, timeout=10) as answer:
            assert int(answer.headers["Content-Length"]) == len(whole)
            with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
                b"".join(answer.iter_content(1000))
        assert client.get(url).content == whole

    @pytest.mark.parametrize("fault", ["media_cut", "media_wrong_length", "media_stalled"])
    def test_the_rest_of_the_same_file_can_be_had_and_is_cut_too(self, client, url, fault):
        whole = client.get(url)
        client.set_faults(on("media", fault, count=2, seconds=0.1))
        with client.session.get(url, stream=True, timeout=10) as cut:
            for name in ("ETag", "Last-Modified", "Accept-Ranges"):
                assert cut.headers[name] == whole.headers[name]
        headers = {"Range": "bytes=1000-", "If-Range": cut.headers["ETag"]}
        with client.session.get(url, stream=True, timeout=10, headers=headers) as rest:
            assert rest.status_code == 206
            size = len(whole.content)
            assert rest.headers["Content-Range"] == f"bytes 1000-{size - 1}/{size}"
            assert int(rest.headers["Content-Length"]) == size - 1000
            assert rest.raw.read(500, decode_content=False) == whole.content[1000:1500]
        rest = client.session.get(url, headers=headers, timeout=10)
        assert (rest.status_code, rest.content) == (206, whole.content[1000:])

    def test_is_silent_in_the_middle(self, client, url):
        client.get(url)
        client.set_faults(on("media", "media_stalled", count=1, seconds=30))
        began = time.monotonic()
        with client.session.get(url, stream=True, timeout=0.5) as answer, pytest.raises(requests.ConnectionError):
            b"".join(answer.iter_content(1000))
        assert 0.4 < time.monotonic() - began < 10

    def test_is_another_file_before_it_is_asked_for_the_rest(self, client, url):
        whole = client.get(url)
        client.set_faults(on("media", "media_changed", count=1))
        with client.session.get(url, stream=True, timeout=10) as answer:
            assert answer.headers["ETag"] != whole.headers["ETag"]
            assert answer.raw.read(1000, decode_content=False) != whole.content[:1000]

    def test_has_no_end(self, client, url):
        whole = client.get(url).content
        client.set_faults(on("media", "media_endless", count=1))
        with client.session.get(url, stream=True, timeout=10) as answer:
            assert "Content-Length" not in answer.headers
            assert answer.raw.read(len(whole), decode_content=False) == whole
            more = answer.raw.read(10_000_000, decode_content=False)
            assert len(more) == 10_000_000
        assert client.get(url).content == whole

    @pytest.mark.parametrize("fault", ["media_stalled", "media_endless"])
    def test_ends_when_the_client_is_gone(self, client, url, fault, caplog):
        client.get(url)
        client.set_faults(on("media", fault, count=1, seconds=600))
        # An answer is in this log when it has ended.
        caplog.set_level("INFO", "aiohttp.access")
        caplog.clear()
        with requests.get(url, stream=True, timeout=10) as answer:
            answer.raw.read(1000, decode_content=False)
            assert "GET /media/" not in caplog.text
        wait_until(lambda: "GET /media/" in caplog.text, timeout=10, what="the end of the answer")

    def test_is_a_page(self, client, url):
        client.set_faults(on("media", "media_wrong_type", count=1))
        answer = client.get(url)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert b"expired" in answer.content


class TestHttp:
    def test_ends_on_demand_and_remembers(self, client):
        client.set_faults(on("createTask", "internal_error"))
        client.create()
        ended = client.session.delete(f"{client.url}/emulator/faults", timeout=10).json()
        assert (ended["faults"], len(ended["injected"])) == ([], 1)
        assert client.create().ok

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ({"faults": [{"fault": "vanish", "on": "media"}]}, "on is one of recordInfo"),
            ({"faults": "all"}, "What is needed is"),
            ({"seed": "x", "faults": []}, "What is needed is"),
            ({"seed": True, "faults": []}, "What is needed is"),
            ([], "A JSON object is needed"),
        ],
    )
    def test_refuses_what_cannot_be_meant_and_keeps_what_was(self, client, body, said):
        client.set_faults(on("media", "slow"))
        answer = client.session.post(f"{client.url}/emulator/faults", json=body, timeout=10)
        assert answer.status_code == 400
        assert said in answer.json()["message"]
        assert len(client.get(f"{client.url}/emulator/faults").json()["faults"]) == 1


def test_rules_and_what_they_did_outlive_a_kill(tmp_path):
    with EmulatorProcess(
        tmp_path / "emulator", options=("--fault", "internal_error,on=createTask,count=2")
    ) as emulator:
        create(emulator)
        emulator.kill()
        emulator.start()
        assert len(emulator.injected_faults()) == 1
        assert [create(emulator).status_code for _ in range(2)] == [500, 200]
        assert len(emulator.injected_faults()) == 2
