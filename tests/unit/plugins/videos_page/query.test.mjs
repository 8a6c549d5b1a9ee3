import assert from "node:assert/strict";
import { test } from "node:test";

import { landingList, matches, PAGE_SIZE, readQuery, STATES, videoList } from "../../../../seedance_provider/plugins/videos_page/query.js";

const EMPTY = {
  dag_id: undefined, dag_run_id: undefined, task_id: undefined, map_index: undefined,
  dag: undefined, run: undefined, task: undefined, state: undefined, from: undefined, to: undefined,
  page: 1, isRun: false,
  operators: ["CreateVideoOperator", "VideoSensor", "_SeedanceVideoDecoratedOperator"],
};

test("an address without a query asks for everything", () => {
  assert.deepEqual(readQuery(""), EMPTY);
  assert.deepEqual(readQuery("?dag=&run=%20&state=&from=&to=&page="), EMPTY);
});

test("operators of the user's own are asked for, too", () => {
  const { parameters } = videoList(readQuery("?state=done", ["BrandVideoOperator"]));
  assert.deepEqual(parameters.operator, [...EMPTY.operators, "BrandVideoOperator"]);
});

test("a link names one task instance", () => {
  const query = readQuery("?dag_id=films&run_id=a%2Bb%3Ac%2Fd+e&task_id=make&map_index=-1&view=run");
  const named = { dag_id: "films", dag_run_id: "a+b:c/d+e", task_id: "make", map_index: "-1", isRun: true };
  assert.deepEqual(query, { ...EMPTY, ...named });
});

test("a state that there is not is none", () => {
  for (const state of Object.keys(STATES)) assert.equal(readQuery(`?state=${state}`).state, state);
  for (const state of ["success", "ACTIVE", "toString", "constructor", "__proto__", "hasOwnProperty", "undefined"]) {
    assert.equal(readQuery(`?state=${state}`).state, undefined, state);
  }
});

test("a page is a number from one", () => {
  const pages = { 2: 2, "07": 7, "2.9": 2, 0: 1, "-3": 1, abc: 1, NaN: 1, "": 1, " 3 ": 3 };
  for (const [given, page] of Object.entries(pages)) assert.equal(readQuery(`?page=${given}`).page, page, given);
  for (const given of ["Infinity", "1e999", "1e30"]) {
    const { offset } = videoList(readQuery(`?page=${given}`)).parameters;
    assert.ok(Number.isSafeInteger(offset) && /^\d+$/.test(String(offset)), given);
  }
});

test("a date is one of the calendar", () => {
  for (const given of ["2026-13-01", "2026-00-10", "yesterday", "2026-3-1", "2026-03-01T00:00", "<b>"]) {
    assert.equal(readQuery(new URLSearchParams({ from: given, to: given }).toString()).from, undefined, given);
  }
  assert.equal(readQuery("?from=2026-03-01").from, "2026-03-01");
});

test("whatever an address says can be asked", () => {
  const values = ["%", "%00", "__proto__", "a".repeat(5000), "-1", "💡", "2026-02-30", "9999-99-99", "../..", "&&=="];
  for (const value of values) {
    const search = Object.keys(EMPTY).concat("run_id", "view").map((name) => `${name}=${value}`).join("&");
    const { path, parameters } = videoList(readQuery(`?${search}`));
    assert.equal(typeof path, "string");
    for (const one of Object.values(parameters).flat()) assert.ok(["string", "number", "undefined"].includes(typeof one));
  }
});

test("the list is of all that makes videos, the latest first", () => {
  const { path, parameters } = videoList(readQuery(""));
  assert.equal(path, "dags/~/dagRuns/~/taskInstances");
  assert.deepEqual([parameters.order_by, parameters.limit, parameters.offset], ["-start_date", PAGE_SIZE, 0]);
  assert.deepEqual(parameters.state, [...STATES.active, ...STATES.done, ...STATES.failed]);
});

test("the list is of one state, one page and some days", () => {
  const { parameters } = videoList(readQuery("?state=failed&page=3&from=2026-03-01&to=2026-03-02&dag=fi&run=ma&task=mk"));
  assert.deepEqual([parameters.state, parameters.offset], [["failed"], 2 * PAGE_SIZE]);
  assert.deepEqual([parameters.dag_id_pattern, parameters.run_id_pattern, parameters.task_display_name_pattern], ["fi", "ma", "mk"]);
  // From midnight to midnight of the viewer.
  assert.equal(Date.parse(parameters.start_date_lte) - Date.parse(parameters.start_date_gte), 2 * 86_400_000 - 1);
  assert.equal(parameters.start_date_gte, new Date(2026, 2, 1).toISOString());
});

test("what is asked for instead counts more", () => {
  const { parameters } = videoList(readQuery("?state=failed&page=3"), { state: "done", limit: 100, page: 2 });
  assert.deepEqual([parameters.state, parameters.limit, parameters.offset], [["success"], 100, 100]);
});

test("a run without its DAG is no place", () => {
  assert.equal(videoList(readQuery("?run_id=a")).path, "dags/~/dagRuns/~/taskInstances");
  assert.equal(videoList(readQuery("?dag_id=a")).path, "dags/a/dagRuns/~/taskInstances");
  assert.equal(videoList(readQuery("?dag_id=a&run_id=b%2Fc")).path, "dags/a/dagRuns/b%2Fc/taskInstances");
});

test("what has landed is looked for in the same run", () => {
  const { path, parameters } = landingList({ dag_id: "a", dag_run_id: "b:c" }, 3);
  assert.equal(path, "dags/a/dagRuns/b%3Ac/taskInstances");
  assert.deepEqual(parameters, { operator: ["VideoToObjectStorageOperator"], state: "success", map_index: 3, limit: 20 });
});

test("a task instance fits all filters or none", () => {
  const instance = { dag_id: "Films", dag_run_id: "manual__1", task_id: "make", task_display_name: "Make it", map_index: 0 };
  const fits = (search, one = instance) => matches(one, readQuery(search));
  for (const search of ["", "?dag=film", "?run=MANUAL", "?task=make+it", "?task_id=make", "?map_index=0", "?dag=s&run=1&task=it"]) {
    assert.equal(fits(search), true, search);
  }
  for (const search of ["?dag=x", "?run=scheduled", "?task=mk", "?task_id=mak", "?map_index=1", "?map_index=-1", "?dag=film&run=x", "?dag=.*"]) {
    assert.equal(fits(search), false, search);
  }
  assert.equal(fits("?task=make", { ...instance, task_display_name: null }), true);
});
