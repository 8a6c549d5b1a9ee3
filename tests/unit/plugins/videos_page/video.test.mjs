import assert from "node:assert/strict";
import { test } from "node:test";

import { Unreadable } from "../../../../seedance_provider/plugins/videos_page/airflow_api.js";
import { STATES } from "../../../../seedance_provider/plugins/videos_page/query.js";
import { age, amount, creditsText, describe, duration, progressOf, tellingKeys } from "../../../../seedance_provider/plugins/videos_page/video.js";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const DAY = 24 * 3600 * 1000;
const URL_ = "https://media.example/a.mp4";

const instance = (fields = {}) => ({
  id: "1", dag_id: "films", dag_run_id: "r", task_id: "make", map_index: -1, state: "success",
  start_date: "2026-03-01T11:50:00Z", end_date: "2026-03-01T11:55:00Z", trigger: null, rendered_fields: {}, ...fields,
});
const result = (fields = {}) => ({
  video_task_id: "task_a", model: "seedance-20", status: "success", video_url: URL_, width: 1280, height: 720, credits_used: 200,
  estimated_credits: 200, completed_at: "2026-03-01T11:54:00+00:00", generation_seconds: 120.4, prompt: "A kite",
  inputs: { duration: 4 }, ...fields,
});
const submitted = (fields = {}) => ({
  video_task_id: "task_a", model: "seedance-20", submitted_at: "2026-03-01T11:59:00+00:00", typical_seconds: [60, 300],
  estimated_credits: 160, prompt: "A kite", inputs: { resolution: "720p", duration: "4" }, ...fields,
});

test("a finished video", () => {
  assert.deepEqual(describe(instance(), { return_value: result() }, NOW), {
    phase: "done",
    label: "finished",
    prompt: "A kite",
    model: "seedance-20",
    size: "1280 × 720, 4 s",
    mismatches: undefined,
    credits: { used: 200, estimated: 200 },
    generationSeconds: 120.4,
    videoTask: "task_a",
    began: Date.parse("2026-03-01T11:50:00Z"),
    ended: Date.parse("2026-03-01T11:54:00Z"),
    typicalSeconds: undefined,
    isSubmitted: true,
    failure: undefined,
    unreadable: undefined,
    vendorUrl: URL_,
    isExpired: false,
  });
});

test("a video that is being made", () => {
  const video = describe(instance({ state: "deferred", end_date: null }), { submitted: submitted() }, NOW);
  assert.deepEqual(
    [video.phase, video.label, video.prompt, video.size, video.videoTask, video.isSubmitted],
    ["active", "in progress", "A kite", "720p, 4 s", "task_a", true],
  );
  assert.deepEqual([video.credits, video.typicalSeconds, video.ended], [{ used: undefined, estimated: 160 }, [60, 300], undefined]);
  assert.equal(video.began, Date.parse("2026-03-01T11:59:00Z"));
});

test("a failed video says why, and what to do", () => {
  const failure = { video_task_id: "task_b", reason: "text_moderation", message: "No.", advice: "Revise the prompt.", retryable: false };
  const video = describe(instance({ state: "failed" }), { failure, submitted: undefined }, NOW);
  assert.deepEqual([video.phase, video.label, video.videoTask], ["failed", "failed", "task_b"]);
  assert.deepEqual(video.failure, { message: "No.", advice: "Revise the prompt.", reason: "text_moderation" });
  assert.equal(video.prompt, undefined);
});

test("a failure that nobody explains leads to the log", () => {
  for (const failure of [undefined, null, {}, { message: "" }, { message: 7 }]) {
    assert.deepEqual(describe(instance({ state: "failed" }), { failure }, NOW).failure, {
      message: "The log of the task says why.", advice: undefined, reason: undefined,
    });
  }
});

test("a try that failed is told of while the next one is waited for, and no later", () => {
  const pushed = { failure: { message: "Oops." } };
  const waiting = describe(instance({ state: "up_for_retry" }), pushed, NOW);
  assert.deepEqual([waiting.phase, waiting.label, waiting.failure.message], ["active", "will be tried again", "Oops."]);
  for (const state of ["success", "running", "deferred"]) {
    assert.equal(describe(instance({ state }), pushed, NOW).failure, undefined);
  }
});

test("every state has its phase and its label", () => {
  const labels = Object.entries(STATES).flatMap(([phase, states]) =>
    states.map((state) => {
      const video = describe(instance({ state }), {}, NOW);
      assert.equal(video.phase, phase, state);
      return [state, video.label];
    }),
  );
  assert.deepEqual(Object.fromEntries(labels), {
    scheduled: "scheduled", queued: "queued", running: "running", deferred: "starting", restarting: "restarting",
    up_for_retry: "will be tried again", up_for_reschedule: "waiting to poll again", success: "finished", failed: "failed",
  });
});

test("who waits for a slot is told from who waits for a video", () => {
  const trigger = { classpath: "seedance_provider.triggers.seedance.SlotTrigger" };
  const label = (pushed) => describe(instance({ state: "deferred", trigger }), pushed, NOW).label;
  assert.equal(label({}), "waiting for a free slot");
  assert.equal(label({ submitted: submitted() }), "in progress");
  const other = { classpath: "seedance_provider.triggers.seedance.VideoTrigger" };
  assert.equal(describe(instance({ state: "deferred", trigger: other }), {}, NOW).label, "starting");
});

test("who waits for an API that does not answer says since when, by the viewer's clock", () => {
  const trigger = (name) => ({ classpath: `seedance_provider.triggers.seedance.${name}` });
  const waiting = instance({ state: "deferred", trigger: trigger("OutageTrigger") });
  const label = (of, pushed) => describe(of, pushed, NOW).label;
  const since = { unreachable_since: new Date(2026, 2, 1, 8, 0, 30).toISOString() };
  assert.equal(label(waiting, since), "API unreachable since 08:00");
  assert.equal(label(waiting, { unreachable_since: new Date(2026, 2, 1, 0, 5).toISOString() }), "API unreachable since 00:05");
  assert.equal(label(instance({ state: "running" }), since), "API unreachable since 08:00");
  for (const odd of ["", undefined, null, 7, "soon"]) assert.equal(label(waiting, { unreachable_since: odd }), "starting", String(odd));
  // An outage that is over.
  assert.equal(label(instance({ state: "running" }), { ...since, submitted: submitted() }), "in progress");
  for (const state of ["queued", "success", "failed", "up_for_retry"]) {
    assert.doesNotMatch(label(instance({ state }), since), /unreachable/, state);
  }
});

test("an outage is asked for only where there may be one", () => {
  const begun = { start_date: "2026-03-01T11:50:00Z", state: "deferred" };
  const deferred = (name) => tellingKeys({ ...begun, trigger: { classpath: `seedance_provider.triggers.seedance.${name}` } });
  assert.deepEqual(deferred("OutageTrigger"), ["unreachable_since"]);
  for (const name of ["VideoTrigger", "SlotTrigger"]) assert.deepEqual(deferred(name), ["submitted"], name);
  assert.deepEqual(tellingKeys({ ...begun, state: "running" }), ["submitted", "unreachable_since"]);
});

test("a video that is not what was asked for says so in one line", () => {
  const seen = (mismatches) => describe(instance(), { return_value: result({ mismatches }) }, NOW).mismatches;
  const wrong = ["aspect_ratio: 9:16 asked, 16:9 made", "resolution: 720p asked, 480p made (864x496)"];
  assert.equal(seen(wrong), wrong.join("; "));
  assert.equal(seen(["a", 7, null, {}, "", "b"]), "a; b");
  for (const odd of [[], undefined, null, "text", 7, {}, [null]]) assert.equal(seen(odd), undefined);
});

test("a state that Airflow may have one day is shown as it is", () => {
  for (const state of ["paused", null, undefined]) {
    const video = describe(instance({ state }), {}, NOW);
    assert.equal(video.phase, "active");
    assert.equal(typeof video.label, "string", String(state));
  }
});

test("a task that did not wait has only submitted", () => {
  const video = describe(instance(), { return_value: result({ status: "waiting", video_url: null, completed_at: null }) }, NOW);
  assert.deepEqual([video.phase, video.label, video.vendorUrl, video.isExpired], ["submitted", "submitted", undefined, false]);
});

test("what is not known of a video is read from what the task was given", () => {
  const rendered = { prompt: "A boat", model: "seedance2-5", resolution: "1080p", duration: "7", video_task_id: "task_c" };
  const video = describe(instance({ state: "running", rendered_fields: rendered }), {}, NOW);
  assert.deepEqual([video.prompt, video.model, video.size, video.videoTask], ["A boat", "seedance2-5", "1080p, 7 s", "task_c"]);
  assert.equal(describe(instance({ rendered_fields: { prompt: "None" } }), {}, NOW).prompt, undefined);
});

test("the XComs that say most are asked for", () => {
  const begun = "2026-03-01T11:50:00Z";
  const keys = (state, start_date) => tellingKeys({ state, start_date });
  assert.deepEqual(keys("success", begun), ["return_value"]);
  for (const state of ["failed", "up_for_retry"]) assert.deepEqual(keys(state, begun), ["failure", "submitted"]);
  for (const state of STATES.active.filter((one) => !["up_for_retry", "running"].includes(one))) {
    assert.deepEqual(keys(state, begun), ["submitted"], state);
    assert.deepEqual(keys(state, null), [], state);
  }
});

test("the vendor keeps a video for 14 days", () => {
  const seen = (milliseconds) => {
    const completed = new Date(NOW - milliseconds).toISOString();
    const { vendorUrl, isExpired } = describe(instance(), { return_value: result({ completed_at: completed }) }, NOW);
    return [vendorUrl, isExpired];
  };
  assert.deepEqual(seen(0), [URL_, false]);
  assert.deepEqual(seen(14 * DAY), [URL_, false]);
  assert.deepEqual(seen(14 * DAY + 1000), [undefined, true]);
  assert.deepEqual(seen(-DAY), [URL_, false]);
});

test("a video of an unknown age may still be there, and without an address none has expired", () => {
  const seen = (fields) => describe(instance(), { return_value: result(fields) }, NOW);
  assert.equal(seen({ completed_at: null }).vendorUrl, URL_);
  assert.equal(seen({ completed_at: "yesterday" }).vendorUrl, URL_);
  assert.equal(seen({ video_url: null, completed_at: "2020-01-01T00:00:00Z" }).isExpired, false);
});

test("only an address of the web becomes a link", () => {
  const hostile = [
    "javascript:alert(1)", "JAVASCRIPT:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)", "data:text/html,<script>",
    "//media.example/a.mp4", "/etc/passwd", "file:///etc/passwd", "blob:https://x/y", "vbscript:x", "httpx://a", "https:", "x https://a",
    "", " ", "None", null, 7, true, {}, [], [URL_], { href: URL_ },
  ];
  for (const url of hostile) {
    assert.equal(describe(instance(), { return_value: result({ video_url: url }) }, NOW).vendorUrl, undefined, String(url));
  }
  for (const url of [URL_, "http://localhost:8080/a.mp4", "HTTPS://MEDIA.EXAMPLE/a.mp4?x=1"]) {
    assert.equal(describe(instance(), { return_value: result({ video_url: url }) }, NOW).vendorUrl, url);
  }
});

const ODD = [
  undefined, null, true, false, 0, -1, 1e308, NaN, Infinity, "", " ", "text", "None", "javascript:alert(1)", [], [null], [[]], {}, { a: {} },
  JSON.parse('{"__proto__": {"task_id": "x"}, "constructor": 1}'),
  JSON.parse('{"toString": 1, "valueOf": 1}'),
  "<img src=x onerror=alert(1)>", "x".repeat(100_000),
];
const TEXTS_OR_NOT = ["prompt", "model", "size", "mismatches", "videoTask", "vendorUrl"];
const NUMBERS_OR_NOT = ["generationSeconds", "began", "ended"];

function isSound(video) {
  assert.ok(["active", "done", "failed", "submitted"].includes(video.phase));
  assert.equal(typeof video.label, "string");
  for (const name of TEXTS_OR_NOT) assert.ok(["string", "undefined"].includes(typeof video[name]), name);
  for (const name of NUMBERS_OR_NOT) assert.ok(video[name] === undefined || Number.isFinite(video[name]), name);
  for (const credits of Object.values(video.credits)) assert.ok(credits === undefined || Number.isFinite(credits));
  assert.ok(video.typicalSeconds === undefined || video.typicalSeconds.every(Number.isFinite));
  if (video.vendorUrl !== undefined) assert.match(video.vendorUrl, /^https?:/i);
  if (video.failure !== undefined) assert.equal(typeof video.failure.message, "string");
  const progress = progressOf(video, NOW);
  if (progress?.share !== undefined) assert.ok(Number.isFinite(progress.share) && progress.share <= 0.97);
  creditsText(video.credits);
}

test("an XCom may be anything", () => {
  for (const state of Object.values(STATES).flat()) {
    for (const odd of ODD) {
      isSound(describe(instance({ state }), { return_value: odd, submitted: odd, failure: odd, unreachable_since: odd }, NOW));
      isSound(describe(instance({ state, rendered_fields: odd }), {}, NOW));
    }
  }
});

test("so may every value in it", () => {
  const names = Object.keys({ ...result(), ...submitted(), message: 1, advice: 1, reason: 1, retryable: 1, mismatches: 1, resolution: 1, duration: 1 });
  for (const state of ["success", "failed", "deferred", "up_for_retry"]) {
    for (const name of names) {
      for (const odd of ODD) {
        const pushed = { return_value: result({ [name]: odd }), submitted: submitted({ [name]: odd }), failure: { [name]: odd } };
        isSound(describe(instance({ state, rendered_fields: { [name]: odd } }), pushed, NOW));
        const inputs = { inputs: { [name]: odd } };
        isSound(describe(instance({ state }), { return_value: result(inputs), submitted: submitted(inputs) }, NOW));
      }
    }
  }
});

test("progress is of how long the slowest take, and never quite there", () => {
  const progress = (fields, now = NOW) => progressOf(describe(instance({ state: "deferred" }), { submitted: submitted(fields) }, now), now);
  assert.deepEqual(progress(), { share: 0.2, text: "1 min so far, usually 1 min to 5 min" });
  assert.equal(progress({}, NOW + DAY).share, 0.97);
  assert.deepEqual(progress({ submitted_at: "2026-03-01T13:00:00Z" }), { share: 0, text: "0 s so far, usually 1 min to 5 min" });
  for (const odd of [null, [], [60], [60, 300, 900], ["60", "300"], [0, 0], [NaN, 5], "60-300"]) {
    assert.deepEqual(progress({ typical_seconds: odd }), { share: undefined, text: "1 min so far" });
  }
});

test("there is no progress of what was not submitted, or has ended", () => {
  const waiting = describe(instance({ state: "deferred" }), {}, NOW);
  assert.deepEqual(progressOf(waiting, NOW), { share: undefined, text: "10 min so far" });
  assert.equal(progressOf(describe(instance({ state: "queued", start_date: null }), {}, NOW), NOW), undefined);
  for (const state of ["success", "failed"]) assert.equal(progressOf(describe(instance({ state }), {}, NOW), NOW), undefined);
});

test("a duration", () => {
  const cases = { 0: "0 s", 0.4: "0 s", 59.4: "59 s", 59.6: "1 min", 60: "1 min", 61: "1 min 1 s", 3599: "59 min 59 s", 3599.7: "1 h 0 min", 3600: "1 h 0 min", 7325: "2 h 2 min", 90000: "25 h 0 min" };
  for (const [seconds, text] of Object.entries(cases)) assert.equal(duration(Number(seconds)), text);
});

test("an age", () => {
  const cases = { "-5": "just now", 0: "just now", 59: "just now", 60: "1 minute ago", 119: "1 minute ago", 120: "2 minutes ago", 3600: "1 hour ago", 7200: "2 hours ago", 86399: "23 hours ago", 86400: "1 day ago", 864000: "10 days ago" };
  for (const [seconds, text] of Object.entries(cases)) assert.equal(age(NOW - Number(seconds) * 1000, NOW), text);
});

test("credits", () => {
  assert.equal(creditsText({}), undefined);
  assert.equal(creditsText({ estimated: 1600 }), "1,600 expected");
  assert.equal(creditsText({ used: 200, estimated: 200 }), "200");
  assert.equal(creditsText({ used: 200 }), "200");
  assert.equal(creditsText({ used: 0, estimated: 200 }), "0 (200 expected)");
  assert.equal(amount(1234567.891), "1,234,567.89");
});

test("a video whose XComs can't be read says so, whatever its state", () => {
  const problem = new Unreadable("The API server can't read the XCom.");
  for (const [state, pushed] of [
    ["success", { return_value: problem }],
    ["failed", { failure: problem, submitted: submitted() }],
    ["deferred", { submitted: problem }],
    ["running", { submitted: undefined, unreachable_since: problem }],
  ]) {
    const video = describe(instance({ state }), pushed, NOW);
    assert.equal(video.unreadable, problem.problem, state);
    assert.equal(video.prompt, pushed.submitted?.prompt, state);
  }
  assert.equal(describe(instance(), { return_value: { problem: "one of its own" } }, NOW).unreadable, undefined);
});
