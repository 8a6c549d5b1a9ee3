import assert from "node:assert/strict";
import { test } from "node:test";

import { Unreadable } from "../../../../seedance_provider/plugins/videos_page/airflow_api.js";
import { Sums, sumsText } from "../../../../seedance_provider/plugins/videos_page/credits.js";
import { describe } from "../../../../seedance_provider/plugins/videos_page/video.js";

const FILMS = { dag_id: "films", state: "success" };
const ADVERTS = { dag_id: "adverts", state: "success" };

// A moment without a zone is one of the viewer.
function add(sums, fields, instance = FILMS) {
  const result = { video_task_id: "task_a", status: "success", credits_used: 200, completed_at: "2026-03-01T12:00:00", ...fields };
  sums.add(describe(instance, { return_value: result }), instance);
}

test("nothing adds up to nothing", () => {
  const sums = new Sums();
  assert.deepEqual([sums.credits, sums.videos, sums.rows()], [0, 0, []]);
});

test("videos are added up by day and DAG, the latest first", () => {
  const sums = new Sums();
  add(sums, { video_task_id: "a" });
  add(sums, { video_task_id: "b", credits_used: 40.5 });
  add(sums, { video_task_id: "c" }, ADVERTS);
  add(sums, { video_task_id: "d", completed_at: "2026-03-02T12:00:00" });
  add(sums, { video_task_id: "e", completed_at: "2025-12-31T12:00:00" });
  assert.deepEqual(sums.rows(), [
    { day: "2026-03-02", dag: "films", videos: 1, credits: 200 },
    { day: "2026-03-01", dag: "adverts", videos: 1, credits: 200 },
    { day: "2026-03-01", dag: "films", videos: 2, credits: 240.5 },
    { day: "2025-12-31", dag: "films", videos: 1, credits: 200 },
  ]);
  assert.deepEqual([sums.credits, sums.videos], [840.5, 5]);
});

test("a video that two tasks tell of counts once", () => {
  const sums = new Sums();
  add(sums, {});
  add(sums, {}, ADVERTS);
  add(sums, {});
  assert.deepEqual([sums.credits, sums.videos, sums.rows().length], [200, 1, 1]);
});

test("one that was only submitted does not hide the one who has waited for it", () => {
  const sums = new Sums();
  add(sums, { status: "waiting", credits_used: null, completed_at: null });
  add(sums, { status: "waiting", credits_used: 0, completed_at: null });
  add(sums, {}, ADVERTS);
  assert.deepEqual(sums.rows(), [{ day: "2026-03-01", dag: "adverts", videos: 1, credits: 200 }]);
});

test("videos of no known id count each, and a day may be unknown", () => {
  const sums = new Sums();
  add(sums, { video_task_id: null });
  add(sums, { video_task_id: null, completed_at: null });
  add(sums, { video_task_id: 7, completed_at: "yesterday" });
  assert.deepEqual(new Map(sums.rows().map(({ day, videos }) => [day, videos])), new Map([["?", 2], ["2026-03-01", 1]]));
  assert.equal(sums.videos, 3);
});

test("a free video counts, and what is no number does not", () => {
  const sums = new Sums();
  add(sums, { video_task_id: "a", credits_used: 0 });
  for (const odd of [null, undefined, "200", NaN, Infinity, {}, [200], true]) add(sums, { video_task_id: "b", credits_used: odd });
  assert.deepEqual([sums.videos, sums.credits], [1, 0]);
});

test("a result may be anything", () => {
  const sums = new Sums();
  for (const odd of [null, [], "text", 7, true, [{ credits_used: 5 }]]) sums.add(describe(FILMS, { return_value: odd }), FILMS);
  assert.deepEqual([sums.videos, sums.rows()], [0, []]);
});

test("names of DAGs and days are not mixed up", () => {
  const sums = new Sums();
  for (const dag_id of ["__proto__", "constructor", 'a","b', "a"]) add(sums, { video_task_id: dag_id }, { dag_id, state: "success" });
  assert.equal(sums.rows().length, 4);
});

test("what could not be read is no video of no credits", () => {
  const sums = new Sums();
  const problem = new Unreadable("The API server can't read the XCom.");
  sums.add(describe(FILMS, { return_value: problem }), FILMS);
  assert.deepEqual([sums.credits, sums.videos, sums.unread], [0, 0, 1]);
  assert.equal(sumsText(sums), "1 video could not be read, and has no credits here. The API server can't read the XCom.");
  sums.add(describe(FILMS, { return_value: problem }), FILMS);
  add(sums, {});
  assert.equal(
    sumsText(sums),
    "200 credits for 1 video. 2 videos could not be read, and have no credits here. The API server can't read the XCom.",
  );
});

test("the sum is told in one sentence", () => {
  const sums = new Sums();
  assert.equal(sumsText(sums), "0 credits for 0 videos.");
  add(sums, {});
  assert.equal(sumsText(sums), "200 credits for 1 video.");
  add(sums, { video_task_id: "b", credits_used: 1000 });
  assert.equal(sumsText(sums), "1,200 credits for 2 videos.");
});
