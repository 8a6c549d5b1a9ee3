// Airflow's public REST API, in the viewer's own session. Few requests at a time, so that a page full of videos is no
// storm; what is asked first is answered first.

// Instead of a value that the API server can't read: why.
export class Unreadable {
  constructor(problem) {
    this.problem = problem;
  }
}

export class ApiError extends Error {
  constructor(status, path) {
    super(`Airflow answered ${status} to ${path}`);
    this.status = status;
  }
}

export class AirflowApi {
  #waiting = [];
  #running = 0;
  #finished = new Map();

  constructor(root, { parallel = 4, fetch = globalThis.fetch.bind(globalThis) } = {}) {
    this.root = root;
    this.parallel = parallel;
    this.fetch = fetch;
  }

  // The JSON at a path below /api/v2. Parameters may be lists; those without a value are left out.
  get(path, parameters = {}) {
    const url = new URL(path, this.root);
    for (const [name, value] of Object.entries(parameters)) {
      for (const one of [value].flat()) {
        if (one !== undefined && one !== null && one !== "") url.searchParams.append(name, one);
      }
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ url, resolve, reject });
      this.#next();
    });
  }

  // The value of an XCom, Unreadable, or nothing if there is none that the viewer may see. It is not asked of the REST API,
  // which knows only a reference to what an XCom backend keeps elsewhere.
  async xcom(place, key) {
    const { dag_id, dag_run_id: run_id, task_id, map_index } = place;
    try {
      const { value, problem } = await this.get("../../seedance/pushed", { dag_id, run_id, task_id, map_index, key });
      return problem === undefined ? value : new Unreadable(problem);
    } catch (error) {
      if (error.status === 404 || error.status === 403) return undefined;
      throw error;
    }
  }

  // The same of a finished try, which does not change any more: whoever wants it, it is asked for once.
  finishedXcom(instance, key) {
    const name = JSON.stringify([instance.id, instance.try_number, key]);
    if (!this.#finished.has(name)) {
      const asked = this.xcom(instance, key);
      asked.catch(() => this.#finished.delete(name));
      this.#finished.set(name, asked);
    }
    return this.#finished.get(name);
  }

  #next() {
    if (this.#running >= this.parallel || this.#waiting.length === 0) return;
    const { url, resolve, reject } = this.#waiting.shift();
    this.#running += 1;
    this.#request(url).then(resolve, reject).finally(() => {
      this.#running -= 1;
      this.#next();
    });
    this.#next();
  }

  async #request(url) {
    const response = await this.fetch(url, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!response.ok) throw new ApiError(response.status, url.pathname);
    return response.json();
  }
}

// A DAG run, relative to the root of the API. "~" stands for all.
export function runPath({ dag_id: dagId = "~", dag_run_id: runId = "~" }) {
  return `dags/${encodeURIComponent(dagId)}/dagRuns/${encodeURIComponent(runId)}`;
}
