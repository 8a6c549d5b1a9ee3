// The page: reads its address, polls Airflow, and shows cards.

import { AirflowApi, Unreadable } from "./airflow_api.js";
import { Card, element, withText } from "./card.js";
import { Credits } from "./credits.js";
import { followTheme, letLinksLeave } from "./frame.js";
import { landingList, matches, PAGE_SIZE, readQuery, videoList } from "./query.js";
import { amount, tellingKeys } from "./video.js";

// Airflow's own pages poll about as often.
const SECONDS_WHILE_ACTIVE = 5;
const SECONDS_OTHERWISE = 30;
const LONGEST_SECONDS = 120;
const LANDING_MS = 10 * 60 * 1000;

const site = new URL("../../", document.baseURI);
const api = new AirflowApi(new URL("api/v2/", site));
const ownOperators = document.querySelector("meta[name=own-operators]").content.split(",").filter(Boolean);
const query = readQuery(location.search, ownOperators);
const cards = new Map();
const view = Object.fromEntries(["summary", "notice", "cards", "pages", "position", "newer", "older", "filters", "reset"].map((id) => [id, document.getElementById(id)]));
let troubles = 0;

const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      const card = [...cards.values()].find((one) => one.element === entry.target);
      if (card) showVideo(card);
    }
  },
  { rootMargin: "200px" },
);

function fillForm() {
  const given = new URLSearchParams(location.search);
  for (const field of view.filters.elements) {
    if (field.name && given.has(field.name)) field.value = given.get(field.name);
  }
  const fixed = ["view", "dag_id", "run_id"].filter((name) => given.has(name) && query.isRun);
  for (const name of fixed) {
    const field = Object.assign(element("input"), { type: "hidden", name, value: given.get(name) });
    view.filters.append(field);
  }
  view.reset.href = `?${new URLSearchParams(fixed.map((name) => [name, given.get(name)]))}`;
  for (const label of view.filters.querySelectorAll("[data-outside-run]")) {
    if (!query.isRun) continue;
    label.hidden = true;
    label.querySelector("input").disabled = true;
  }
  // Fields that say nothing would only make the address longer.
  view.filters.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
  });
  // Sent before, a form would leave the run that it belongs to.
  view.filters.querySelector("button").disabled = false;
}

function showSkeletons() {
  view.cards.replaceChildren(...Array.from({ length: 6 }, () => {
    const skeleton = element("div", "card skeleton");
    skeleton.setAttribute("aria-hidden", "true");
    return skeleton;
  }));
}

async function look() {
  const { path, parameters } = videoList(query);
  const { task_instances: found, total_entries: total } = await api.get(path, parameters);
  const instances = found.filter((instance) => matches(instance, query));
  arrange(instances);
  showSummary(instances, total);
  view.cards.setAttribute("aria-busy", "false");
  await Promise.all(instances.map((instance) => tell(cards.get(instance.id), instance)));
  await Promise.all([...cards.values()].filter(mayLandYet).map(noteLanding));
}

// Cards that are there stay the same elements; those whose task is not on this page any more go.
function arrange(instances) {
  const wanted = new Set(instances.map((instance) => instance.id));
  for (const [id, card] of cards) {
    if (wanted.has(id)) continue;
    seen.unobserve(card.element);
    card.element.remove();
    cards.delete(id);
  }
  for (const instance of instances) {
    if (!cards.has(instance.id)) cards.set(instance.id, new Card(instance, site));
  }
  for (const skeleton of view.cards.querySelectorAll(".skeleton")) skeleton.remove();
  instances.forEach((instance, index) => {
    const { element: wantedHere } = cards.get(instance.id);
    const { [index]: here } = view.cards.children;
    // What is in its place is not touched: a video that is moved stops playing.
    if (here !== wantedHere) view.cards.insertBefore(wantedHere, here ?? null);
  });
}

// Ask for what an instance has pushed, unless nothing can have changed since.
async function tell(card, instance) {
  const stamp = `${instance.state} ${instance.try_number} ${instance.trigger?.classpath ?? ""}`;
  const isOpen = card.video.phase === "active" && !card.video.isSubmitted;
  if (card.stamp === stamp && !isOpen) return;
  const keys = tellingKeys(instance);
  const values = await Promise.all(keys.map((key) => pushed(instance, key)));
  card.stamp = stamp;
  card.update(instance, Object.fromEntries(keys.map((key, index) => [key, values[index]])));
  if (card.video.phase === "done") seen.observe(card.element);
  else card.isShown = false;
  shareTitles();
}

function pushed(instance, key) {
  return instance.state === "success" ? api.finishedXcom(instance, key) : api.xcom(instance, key);
}

// A task that only waits for a video does not know its prompt, but the one that asked for it may be here, too.
function shareTitles() {
  const titles = new Map();
  for (const { video } of cards.values()) if (video.videoTask && video.prompt) titles.set(video.videoTask, video.prompt);
  for (const card of cards.values()) if (!card.video.prompt) card.entitle(titles.get(card.video.videoTask));
}

async function showVideo(card) {
  if (card.isShown) return;
  card.isShown = true;
  seen.unobserve(card.element);
  let landing;
  try {
    landing = await landingOf(card);
  } catch {
    // It can still be played from where the vendor keeps it.
  }
  card.play(landing);
}

// The task that lands a video follows the one that makes it.
function mayLandYet(card) {
  return card.isShown && !card.isStored && card.video.ended > Date.now() - LANDING_MS;
}

async function noteLanding(card) {
  const landing = await landingOf(card);
  if (landing) card.store(landing);
}

// What has landed of it in the same run: by the task of the same map index first, since one is mapped over the other.
async function landingOf({ instance, video }) {
  let problem;
  const mapIndexes = instance.map_index >= 0 ? [instance.map_index, -1] : [-1];
  for (const mapIndex of mapIndexes) {
    const { path, parameters } = landingList(instance, mapIndex);
    const { task_instances: landings } = await api.get(path, parameters);
    for (const one of landings.filter((landing) => landing.map_index === mapIndex)) {
      const landed = await api.xcom(one, "landed");
      if (landed instanceof Unreadable) problem = landed.problem;
      if (landed && landed.video_task_id && landed.video_task_id === video.videoTask) {
        const url = new URL("seedance/stored", site);
        url.search = new URLSearchParams({ dag_id: one.dag_id, run_id: one.dag_run_id, task_id: one.task_id, map_index: one.map_index });
        return { url: url.href, uri: landed.uri };
      }
    }
  }
  // One of those may be that of this video.
  return problem && { problem };
}

function showSummary(instances, total) {
  const first = (query.page - 1) * PAGE_SIZE;
  const active = instances.filter((instance) => cards.get(instance.id).video.phase === "active").length;
  const shown = instances.length ? `${amount(first + 1)} to ${amount(first + instances.length)} of ${amount(total)}` : "none";
  setText(view.summary, `${shown}${active ? `, ${active} in progress here` : ""}`);
  setText(view.position, shown);
  const isFiltered = ["dag", "run", "task", "state", "from", "to", "task_id"].some((name) => query[name] !== undefined);
  if (instances.length === 0) notice(isFiltered || query.page > 1 ? "No video fits these filters." : emptyText());
  else notice();
  view.pages.hidden = total <= PAGE_SIZE && query.page === 1;
  setPage(view.newer, query.page > 1 ? query.page - 1 : undefined);
  setPage(view.older, first + PAGE_SIZE < total ? query.page + 1 : undefined);
}

function emptyText() {
  const where = query.isRun ? "This run has no video" : "There is no video";
  return `${where} yet. A task with CreateVideoOperator, VideoSensor or @task.seedance_video appears here as soon as it is scheduled.`;
}

function setPage(link, page) {
  if (page === undefined) {
    link.removeAttribute("href");
    return;
  }
  const wanted = new URLSearchParams(location.search);
  wanted.set("page", page);
  link.setAttribute("href", `?${wanted}`);
}

function notice(text, isTrouble = false) {
  view.notice.hidden = !text;
  view.notice.classList.toggle("trouble", isTrouble);
  setText(view.notice, text ?? "");
}

// Only what is new is written, or a screen reader would say it again.
function setText(target, text) {
  if (target.textContent !== text) withText(target, text);
}

function troubleText(error) {
  if (error.status === 401) return "You are not logged in any more. Log in to Airflow, and load this page again.";
  if (error.status === 403) return "You may not see task instances here. Ask an administrator of this Airflow for access to the DAG.";
  if (error.status === 404) return "There is no such DAG run.";
  return `Airflow can't be asked at the moment (${error.message}). This page tries again by itself.`;
}

async function lookAndPlan() {
  let seconds = SECONDS_OTHERWISE;
  try {
    await look();
    troubles = 0;
    const isActive = [...cards.values()].some((card) => card.video.phase === "active");
    if (isActive) seconds = SECONDS_WHILE_ACTIVE;
  } catch (error) {
    troubles += 1;
    seconds = Math.min(SECONDS_WHILE_ACTIVE * 2 ** (troubles - 1), LONGEST_SECONDS);
    if (cards.size === 0) view.cards.replaceChildren();
    view.cards.setAttribute("aria-busy", "false");
    setText(view.summary, "");
    notice(troubleText(error), true);
  }
  setTimeout(whenVisible, seconds * 1000, lookAndPlan);
}

// Nobody looks at a page in the background.
function whenVisible(action) {
  if (!document.hidden) action();
  else document.addEventListener("visibilitychange", () => whenVisible(action), { once: true });
}

followTheme();
letLinksLeave();
fillForm();
showSkeletons();
setInterval(() => cards.forEach((card) => card.tick()), 1000);
await lookAndPlan();
new Credits(api, query).start().catch(() => {});
