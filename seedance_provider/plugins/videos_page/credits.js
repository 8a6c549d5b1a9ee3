// Credits by day and DAG. Airflow's API gives values one by one, so many of them are added up only when asked for.

import { element, withText } from "./card.js";
import { matches, videoList } from "./query.js";
import { amount, describe } from "./video.js";

const UNASKED = 60;
const PAGE = 50;
const ROWS = 200;

export class Credits {
  #api;
  #query;

  constructor(api, query) {
    this.#api = api;
    this.#query = query;
    this.section = document.getElementById("credits");
    this.note = document.getElementById("credits-note");
    this.button = document.getElementById("add-up");
    this.table = document.getElementById("credits-table");
    this.button.addEventListener("click", () => this.#addUp());
  }

  async start() {
    if (this.#query.state && this.#query.state !== "done") return;
    const list = videoList(this.#query, { state: "done", limit: 1, page: 1 });
    const { total_entries: total } = await this.#api.get(list.path, list.parameters);
    if (!total) return;
    this.section.hidden = false;
    if (total <= UNASKED) await this.#addUp();
    else {
      this.button.hidden = false;
      this.button.textContent = `Add up ${amount(total)} finished videos`;
    }
  }

  async #addUp() {
    this.button.disabled = true;
    try {
      const sums = new Sums();
      for (let page = 1, total = Infinity; (page - 1) * PAGE < total; page += 1) {
        const list = videoList(this.#query, { state: "done", limit: PAGE, page });
        const { task_instances: instances, total_entries: all } = await this.#api.get(list.path, list.parameters);
        if (instances.length === 0) break;
        total = all;
        const asked = instances.filter((instance) => matches(instance, this.#query));
        const found = await Promise.all(asked.map((instance) => this.#api.finishedXcom(instance, "return_value")));
        asked.forEach((instance, index) => sums.add(describe(instance, { return_value: found[index] }), instance));
        this.#show(sums, Math.min(page * PAGE, total), total);
      }
      this.button.hidden = true;
    } catch (error) {
      this.note.textContent = `The credits could not be added up: ${error.message}.`;
    } finally {
      this.button.disabled = false;
    }
  }

  #show(sums, done, total) {
    const rows = sums.rows();
    const hidden = rows.length > ROWS ? ` The latest ${ROWS} lines are shown.` : "";
    this.note.textContent =
      done < total ? `Added up ${amount(done)} of ${amount(total)} videos…` : `${sumsText(sums)}${hidden}`;
    this.table.hidden = rows.length === 0 && sums.unread > 0;
    const [body] = this.table.tBodies;
    body.replaceChildren(...rows.slice(0, ROWS).map((row) => line([row.day, row.dag, amount(row.videos), amount(row.credits)])));
    this.table.tFoot.replaceChildren(line(["All", "", amount(sums.videos), amount(sums.credits)]));
  }
}

// Sums over videos; a video that two tasks tell of, one that made it and one that waited for it, counts once.
export class Sums {
  #days = new Map();
  #seen = new Set();
  credits = 0;
  videos = 0;
  unread = 0;
  problem;

  add(video, instance) {
    if (video.unreadable) {
      this.unread += 1;
      this.problem ??= video.unreadable;
      return;
    }
    if (video.credits.used === undefined || video.phase !== "done") return;
    if (video.videoTask !== undefined) {
      if (this.#seen.has(video.videoTask)) return;
      this.#seen.add(video.videoTask);
    }
    const day = localDay(video.ended);
    const key = JSON.stringify([day, instance.dag_id]);
    const row = this.#days.get(key) ?? { day, dag: instance.dag_id, videos: 0, credits: 0 };
    row.videos += 1;
    row.credits += video.credits.used;
    this.#days.set(key, row);
    this.videos += 1;
    this.credits += video.credits.used;
  }

  // The latest day first.
  rows() {
    return [...this.#days.values()].sort((a, b) => b.day.localeCompare(a.day) || a.dag.localeCompare(b.dag));
  }
}

// What was added up, and what could not be.
export function sumsText({ credits, videos, unread, problem }) {
  const count = (number) => `${amount(number)} ${number === 1 ? "video" : "videos"}`;
  const known = videos || !unread ? [`${amount(credits)} credits for ${count(videos)}.`] : [];
  const unknown = unread ? [`${count(unread)} could not be read, and ${unread === 1 ? "has" : "have"} no credits here. ${problem}`] : [];
  return [...known, ...unknown].join(" ");
}

function localDay(moment) {
  if (moment === undefined) return "?";
  const date = new Date(moment);
  const two = (value) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function line(cells) {
  const row = element("tr");
  row.append(...cells.map((cell, index) => {
    const made = withText(element(index === 0 ? "th" : "td"), cell);
    if (index === 0) made.scope = "row";
    return made;
  }));
  return row;
}
