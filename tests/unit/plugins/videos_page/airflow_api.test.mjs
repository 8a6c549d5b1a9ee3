import assert from "node:assert/strict";
import { test } from "node:test";

import { AirflowApi, ApiError, runPath, Unreadable } from "../../../../seedance_provider/plugins/videos_page/airflow_api.js";

const ROOT = "https://airflow.example/team/api/v2/";
const PLACE = { dag_id: "films", dag_run_id: "a+b:c/d e&f", task_id: "make", map_index: -1 };

const answer = (body, status = 200) => new Response(typeof body === "string" ? body : JSON.stringify(body), { status });

// An API whose answers are given by hand, and what it was asked.
function scripted(parallel) {
  const asked = [];
  const fetch = (url, options) =>
    new Promise((resolve, reject) => {
      asked.push({ url, options, give: (body, status) => resolve(answer(body, status)), fail: reject });
    });
  return { api: new AirflowApi(ROOT, { parallel, fetch }), asked };
}

// All that can go on without an answer does.
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("asks below wherever Airflow is, in the viewer's session", async () => {
  const { api, asked } = scripted(4);
  const got = api.get("dags/~/dagRuns/~/taskInstances", { state: ["a", "b c"], empty: "", none: undefined, nil: null, limit: 0 });
  asked[0].give({ total_entries: 0 });
  assert.deepEqual(await got, { total_entries: 0 });
  assert.equal(asked[0].url.href, `${ROOT}dags/~/dagRuns/~/taskInstances?state=a&state=b+c&limit=0`);
  assert.equal(asked[0].options.credentials, "same-origin");
});

test("a list has none of the values that say nothing", async () => {
  const { api, asked } = scripted(4);
  api.get("x", { state: [undefined, "a", null, ""] });
  assert.equal(asked[0].url.search, "?state=a");
});

test("asks no more than so much at once, in order", async () => {
  const { api, asked } = scripted(2);
  const gots = [1, 2, 3, 4, 5].map((number) => api.get(`n/${number}`));
  await settled();
  assert.equal(asked.length, 2);
  asked[1].give({ value: "second" });
  await settled();
  assert.equal(asked.length, 3);
  for (let index = 0; index < 5; index += 1) {
    if (index !== 1) asked[index].give({ value: index });
    await settled();
  }
  assert.deepEqual(
    asked.map(({ url }) => url.pathname.split("/").pop()),
    ["1", "2", "3", "4", "5"],
  );
  assert.deepEqual((await Promise.all(gots)).map(({ value }) => value), [0, "second", 2, 3, 4]);
});

test("is never beyond its limit, whatever the answers are", async () => {
  let running = 0;
  let most = 0;
  let count = 0;
  const fetch = async () => {
    running += 1;
    most = Math.max(most, running);
    const number = count++;
    await settled();
    running -= 1;
    if (number % 4 === 1) throw new TypeError("network");
    return number % 4 === 2 ? answer("<html>") : answer({}, number % 4 === 3 ? 500 : 200);
  };
  const api = new AirflowApi(ROOT, { parallel: 3, fetch });
  const ends = await Promise.allSettled(Array.from({ length: 40 }, () => api.get("x")));
  assert.equal(most, 3);
  assert.equal(ends.filter(({ status }) => status === "fulfilled").length, 10);
});

test("goes on after errors of every kind", async () => {
  const { api, asked } = scripted(1);
  const gots = ["a", "b", "c", "d"].map((path) => api.get(path));
  asked[0].fail(new TypeError("network"));
  await assert.rejects(gots[0], TypeError);
  await settled();
  asked[1].give({ detail: "no" }, 500);
  await assert.rejects(gots[1], { status: 500 });
  await settled();
  asked[2].give("<html>");
  await assert.rejects(gots[2], SyntaxError);
  await settled();
  asked[3].give({ fine: true });
  assert.deepEqual(await gots[3], { fine: true });
});

test("goes on if fetch itself throws", async () => {
  const answers = [() => { throw new TypeError("no fetch"); }, () => answer({ fine: true })];
  const api = new AirflowApi(ROOT, { parallel: 1, fetch: () => answers.shift()() });
  await assert.rejects(api.get("a"), TypeError);
  assert.deepEqual(await api.get("b"), { fine: true });
});

test("an error says what Airflow answered", async () => {
  const { api, asked } = scripted(1);
  const got = api.get("dags/films", { x: "1" });
  asked[0].give({}, 403);
  await assert.rejects(got, (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.status, 403);
    assert.equal(error.message, "Airflow answered 403 to /team/api/v2/dags/films");
    return true;
  });
});

test("an XCom is asked for by the whole name of its task instance", async () => {
  const { api, asked } = scripted(1);
  const got = api.xcom(PLACE, "return_value");
  asked[0].give({ value: { a: 1 } });
  assert.deepEqual(await got, { a: 1 });
  const place = "dag_id=films&run_id=a%2Bb%3Ac%2Fd+e%26f&task_id=make&map_index=-1&key=return_value";
  // Not of the REST API, which does not read through an XCom backend.
  assert.equal(asked[0].url.href, `https://airflow.example/team/seedance/pushed?${place}`);
});

test("an XCom that the API server can't read says why", async () => {
  const { api, asked } = scripted(1);
  const got = api.xcom(PLACE, "return_value");
  asked[0].give({ problem: "It can't be read." });
  const value = await got;
  assert.ok(value instanceof Unreadable);
  assert.equal(value.problem, "It can't be read.");
});

test("an XCom that is not there, or not for the viewer, is undefined, and any other answer an error", async () => {
  for (const status of [401, 403, 404, 422, 500, 503]) {
    const { api, asked } = scripted(1);
    const got = api.xcom(PLACE, "failure");
    asked[0].give({}, status);
    if (status === 404 || status === 403) assert.equal(await got, undefined);
    else await assert.rejects(got, { status });
  }
});

test("so is a network that is down, or an answer that is no JSON", async () => {
  const { api, asked } = scripted(2);
  const gots = [api.xcom(PLACE, "a"), api.xcom(PLACE, "b")];
  asked[0].fail(new TypeError("network"));
  asked[1].give("<html>");
  await assert.rejects(gots[0], TypeError);
  await assert.rejects(gots[1], SyntaxError);
});

test("an XCom that is null is null", async () => {
  const { api, asked } = scripted(1);
  const got = api.xcom(PLACE, "a");
  asked[0].give({ value: null });
  assert.equal(await got, null);
});

test("a path stands for all unless it is told which", () => {
  assert.equal(runPath({}), "dags/~/dagRuns/~");
  assert.equal(runPath({ dag_id: "a b" }), "dags/a%20b/dagRuns/~");
  assert.equal(runPath({ dag_id: "a/b", dag_run_id: "c?d#e" }), "dags/a%2Fb/dagRuns/c%3Fd%23e");
});

test("what a finished try has pushed is asked for once, by however many", async () => {
  const { api, asked } = scripted(4);
  const instance = { ...PLACE, id: "one", try_number: 1 };
  const gots = [api.finishedXcom(instance, "return_value"), api.finishedXcom({ ...instance }, "return_value")];
  asked[0].give({ value: 200 });
  assert.deepEqual(await Promise.all([...gots, api.finishedXcom(instance, "return_value")]), [200, 200, 200]);
  assert.equal(asked.length, 1);
});

test("another try, another task and another key are asked for themselves", async () => {
  const { api, asked } = scripted(4);
  const instance = { ...PLACE, id: "one", try_number: 1 };
  const others = [{ ...instance, try_number: 2 }, { ...instance, id: "two" }];
  const gots = [instance, ...others].map((one) => api.finishedXcom(one, "return_value"));
  gots.push(api.finishedXcom(instance, "landed"));
  await settled();
  asked.forEach((one, index) => one.give({ value: index }));
  assert.deepEqual(await Promise.all(gots), [0, 1, 2, 3]);
});

test("what could not be asked for is asked for again", async () => {
  const { api, asked } = scripted(4);
  const instance = { ...PLACE, id: "one", try_number: 1 };
  const failed = api.finishedXcom(instance, "return_value");
  asked[0].give({}, 500);
  await assert.rejects(failed, ApiError);
  const again = api.finishedXcom(instance, "return_value");
  asked[1].give({ value: 200 });
  assert.equal(await again, 200);
});
