// One card of the page. It is made once and then changed, so that a video that plays goes on playing.

import { age, creditsText, describe, duration, progressOf } from "./video.js";

export class Card {
  #video;
  #sources = [];
  #storedAt;
  #landingProblem;

  constructor(instance, site) {
    this.instance = instance;
    this.site = site;
    this.element = element("article", "card");
    this.stage = element("div", "stage");
    const body = element("div", "body");
    this.title = element("h2", "prompt");
    this.title.id = `title-${instance.id}`;
    this.element.setAttribute("aria-labelledby", this.title.id);
    this.state = element("span", "state");
    this.facts = element("dl", "facts");
    this.reason = element("div", "reason");
    this.links = element("ul", "links");
    body.append(this.state, this.title, this.reason, this.facts, this.links);
    this.element.append(this.stage, body);
    this.update(instance, {});
  }

  get video() {
    return this.#video;
  }

  update(instance, pushed, now = Date.now()) {
    this.instance = instance;
    this.#video = describe(instance, pushed, now);
    this.state.textContent = this.#video.label;
    this.state.className = `state ${this.#video.phase}`;
    this.entitle(this.#video.prompt);
    this.#showReason();
    this.#showLinks();
    this.tick(now);
    if (this.#video.failure) this.#say(this.#video.phase === "failed" ? "No video" : "No video yet");
    if (this.#video.phase === "submitted") this.#say("Another task waits for it");
  }

  entitle(prompt) {
    const title = prompt ?? (this.#video.videoTask ? `Video task ${this.#video.videoTask}` : "A video");
    if (this.title.textContent === title) return;
    this.title.textContent = title;
    this.title.title = title;
  }

  // What changes by itself.
  tick(now = Date.now()) {
    const video = this.#video;
    const isActive = video.phase === "active";
    this.#showFacts([
      ["Model", video.model],
      ["Size", video.size],
      ["Not as asked", video.mismatches],
      ["Credits", video.failure ? undefined : creditsText(video.credits)],
      ["Reason", video.failure?.reason],
      ["Made in", video.generationSeconds !== undefined ? duration(video.generationSeconds) : undefined],
      [isActive ? "Began" : "Ended", ageOf(isActive ? video.began : video.ended, now)],
      ["Stored at", this.#storedAt],
      ["Video task", video.videoTask],
    ]);
    if (isActive && video.failure === undefined) this.#showProgress(now);
  }

  // Where it can be played from: the copy in the own storage first, since that one stays.
  play(landing) {
    this.#storedAt = undefined;
    if (landing) this.store(landing);
    this.#sources = [landing?.url, this.#video.vendorUrl].filter(Boolean);
    this.#playNext();
  }

  // What plays goes on playing, from wherever it does.
  store(landing) {
    this.#storedAt = landing.uri;
    this.#landingProblem = landing.problem;
    this.#showReason();
    this.tick();
  }

  get isStored() {
    return this.#storedAt !== undefined;
  }

  #playNext() {
    const source = this.#sources.shift();
    if (source === undefined && this.#video.unreadable) {
      this.#say("What the task has pushed can't be read.");
      return;
    }
    if (source === undefined) {
      this.#say(this.#video.isExpired ? "The vendor keeps a video for 14 days, and it has not landed." : "It can't be played here.");
      return;
    }
    const player = element("video");
    player.controls = true;
    player.preload = "metadata";
    player.playsInline = true;
    player.setAttribute("aria-labelledby", this.title.id);
    player.addEventListener("error", () => this.#playNext(), { once: true });
    // The first picture, instead of a black one.
    player.src = `${source}#t=0.001`;
    this.stage.replaceChildren(player);
  }

  #showProgress(now) {
    const progress = progressOf(this.#video, now);
    if (progress === undefined) return;
    let waiting = this.stage.querySelector(".waiting");
    if (!waiting) {
      waiting = element("div", "waiting");
      const bar = element("progress");
      bar.max = 1;
      bar.setAttribute("aria-label", "Elapsed, of the longest usual time");
      waiting.append(bar, element("p", "quiet"));
      this.stage.replaceChildren(waiting);
    }
    const bar = waiting.querySelector("progress");
    if (progress.share === undefined) bar.removeAttribute("value");
    else bar.value = progress.share;
    waiting.querySelector("p").textContent = progress.text;
  }

  #say(text) {
    const line = element("p", "quiet");
    line.textContent = text;
    this.stage.replaceChildren(line);
  }

  #showReason() {
    const { failure, unreadable } = this.#video;
    const lines = [failure?.message, failure?.advice, unreadable, this.#landingProblem].filter(Boolean);
    this.reason.hidden = lines.length === 0;
    this.reason.replaceChildren(...lines.map((line) => withText(element("p"), line)));
  }

  #showFacts(facts) {
    const shown = facts.filter(([, value]) => value);
    const text = JSON.stringify(shown);
    if (this.facts.dataset.shown === text) return;
    this.facts.dataset.shown = text;
    this.facts.replaceChildren(
      ...shown.flatMap(([name, value]) => [withText(element("dt"), name), withText(element("dd"), value)]),
    );
  }

  #showLinks() {
    const { instance } = this;
    const task = instance.map_index >= 0 ? `${instance.task_display_name} [${instance.map_index}]` : instance.task_display_name;
    const run = `dags/${encodeURIComponent(instance.dag_id)}/runs/${encodeURIComponent(instance.dag_run_id)}`;
    const mapped = instance.map_index >= 0 ? `/mapped/${instance.map_index}` : "";
    const links = [
      [`${instance.dag_display_name ?? instance.dag_id} › ${task}`, new URL(`${run}/tasks/${encodeURIComponent(instance.task_id)}${mapped}`, this.site)],
    ];
    if (this.#video.vendorUrl) links.push(["Video at the vendor", this.#video.vendorUrl, "_blank"]);
    const text = JSON.stringify(links);
    if (this.links.dataset.shown === text) return;
    this.links.dataset.shown = text;
    this.links.replaceChildren(
      ...links.map(([name, url, target]) => {
        const link = withText(element("a"), name);
        link.href = url;
        link.dataset.leaves = "";
        if (target) Object.assign(link, { target, rel: "noopener noreferrer" });
        const item = element("li");
        item.append(link);
        return item;
      }),
    );
  }
}

function ageOf(moment, now) {
  return moment === undefined ? undefined : age(moment, now);
}

export function element(name, className) {
  const made = document.createElement(name);
  if (className) made.className = className;
  return made;
}

export function withText(made, text) {
  made.textContent = text;
  return made;
}
