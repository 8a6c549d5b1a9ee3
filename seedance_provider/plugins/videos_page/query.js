// What the address of the page asks for, and the questions to Airflow that follow from it.

import { runPath } from "./airflow_api.js";

export const PAGE_SIZE = 24;
const LAST_PAGE = 1_000_000;

// Tasks that make videos or wait for them, and tasks that land them, by the names of their classes.
const MAKERS = ["CreateVideoOperator", "VideoSensor", "_SeedanceVideoDecoratedOperator"];
const LANDERS = ["VideoToObjectStorageOperator"];

const ACTIVE = ["scheduled", "queued", "running", "deferred", "restarting", "up_for_retry", "up_for_reschedule"];
export const STATES = { active: ACTIVE, done: ["success"], failed: ["failed"] };

// ownOperators: names of classes of the user's own that make videos, too.
export function readQuery(search, ownOperators = []) {
  const given = new URLSearchParams(search);
  const text = (name) => given.get(name)?.trim() || undefined;
  return {
    // Named by a link: just this one.
    dag_id: text("dag_id"),
    // Airflow 3.1 writes it into the address of a tab as it is, with a plus sign that says a space there. No run id has one.
    dag_run_id: text("run_id")?.replaceAll(" ", "+"),
    task_id: text("task_id"),
    map_index: text("map_index"),
    // Written into the form: a part of it.
    dag: text("dag"),
    run: text("run"),
    task: text("task"),
    state: Object.hasOwn(STATES, text("state") ?? "") ? text("state") : undefined,
    from: date(text("from")),
    to: date(text("to")),
    page: Math.min(Math.max(1, Math.trunc(Number(given.get("page"))) || 1), LAST_PAGE),
    isRun: given.get("view") === "run",
    operators: [...MAKERS, ...ownOperators],
  };
}

// Path and parameters of the list of tasks that make videos, the latest first.
export function videoList(query, { state = query.state, limit = PAGE_SIZE, page = query.page } = {}) {
  const states = state ? STATES[state] : Object.values(STATES).flat();
  return {
    // A run alone, without its DAG, is no place that Airflow knows.
    path: `${runPath(query.dag_id ? query : {})}/taskInstances`,
    parameters: {
      operator: query.operators,
      state: states,
      task_id: query.task_id,
      map_index: query.map_index,
      dag_id_pattern: query.dag,
      run_id_pattern: query.run,
      task_display_name_pattern: query.task,
      start_date_gte: query.from && new Date(`${query.from}T00:00:00`).toISOString(),
      start_date_lte: query.to && new Date(`${query.to}T23:59:59.999`).toISOString(),
      order_by: "-start_date",
      limit,
      offset: (page - 1) * limit,
    },
  };
}

// Path and parameters of the list of tasks of the same run that have landed videos.
export function landingList(instance, mapIndex) {
  return {
    path: `${runPath(instance)}/taskInstances`,
    parameters: { operator: LANDERS, state: "success", map_index: mapIndex, limit: 20 },
  };
}

// Older releases of Airflow leave out filters that they do not know.
export function matches(instance, query) {
  const has = (text, part) => !part || String(text).toLowerCase().includes(part.toLowerCase());
  return (
    (!query.task_id || instance.task_id === query.task_id) &&
    (query.map_index === undefined || String(instance.map_index) === query.map_index) &&
    has(instance.dag_id, query.dag) &&
    has(instance.dag_run_id, query.run) &&
    has(instance.task_display_name ?? instance.task_id, query.task)
  );
}

function date(text) {
  return /^\d{4}-\d{2}-\d{2}$/.test(text ?? "") && !Number.isNaN(Date.parse(text)) ? text : undefined;
}
