// What there is to say about a video: from a task instance and what it has pushed, without a page. All values are
// data; whoever shows them writes them as text.

import { Unreadable } from "./airflow_api.js";
import { STATES } from "./query.js";

// The vendor keeps videos for 14 days (its page on authentication).
const KEPT_MS = 14 * 24 * 3600 * 1000;

const LABELS = {
  scheduled: "scheduled",
  queued: "queued",
  running: "running",
  restarting: "restarting",
  up_for_retry: "will be tried again",
  up_for_reschedule: "waiting to poll again",
  success: "finished",
  failed: "failed",
};

// The XComs that say most about an instance, in the order in which they are asked for.
export function tellingKeys(instance) {
  if (instance.state === "success") return ["return_value"];
  if (instance.state === "failed" || instance.state === "up_for_retry") return ["failure", "submitted"];
  // One that waits for a worker, or to poll again, has been at work before, if it has begun.
  if (!instance.start_date) return [];
  // What waits for the API to answer has no video task yet. A task that waits in its worker has no trigger to tell by.
  if (isTrigger(instance, "OutageTrigger")) return ["unreachable_since"];
  return instance.state === "running" ? ["submitted", "unreachable_since"] : ["submitted"];
}

export function describe(instance, pushed, now = Date.now()) {
  const result = object(pushed.return_value);
  const submitted = object(pushed.submitted);
  const failure = object(pushed.failure);
  const known = { ...submitted, ...result };
  const rendered = object(instance.rendered_fields);
  const videoTask = text(known.video_task_id) ?? text(failure.video_task_id) ?? text(rendered.video_task_id);
  return {
    phase: phaseOf(instance, result),
    label: labelOf(instance, submitted, result, moment(pushed.unreachable_since)),
    prompt: text(known.prompt) ?? text(rendered.prompt),
    model: text(known.model) ?? text(rendered.model),
    size: sizeOf(known, rendered),
    mismatches: mismatchesOf(result),
    credits: creditsOf(known),
    generationSeconds: number(result.generation_seconds),
    videoTask,
    began: moment(submitted.submitted_at) ?? moment(instance.start_date),
    ended: moment(result.completed_at) ?? moment(instance.end_date),
    typicalSeconds: range(submitted.typical_seconds),
    isSubmitted: Boolean(known.video_task_id),
    failure: failureOf(instance, failure),
    unreadable: Object.values(pushed).find((value) => value instanceof Unreadable)?.problem,
    vendorUrl: vendorUrl(result, now),
    isExpired: Boolean(text(result.video_url)) && !vendorUrl(result, now),
  };
}

// How far a video is, of how long the slowest of its kind take; never quite there, since nobody knows.
export function progressOf(video, now = Date.now()) {
  if (video.phase !== "active" || video.began === undefined) return undefined;
  const seconds = Math.max(0, (now - video.began) / 1000);
  const [fast, slow] = video.typicalSeconds ?? [];
  const usual = slow ? `, usually ${duration(fast)} to ${duration(slow)}` : "";
  return {
    share: video.isSubmitted && slow ? Math.min(seconds / slow, 0.97) : undefined,
    text: `${duration(seconds)} so far${usual}`,
  };
}

export function creditsText({ used, estimated }) {
  if (used === undefined && estimated === undefined) return undefined;
  if (used === undefined) return `${amount(estimated)} expected`;
  return estimated === undefined || estimated === used ? amount(used) : `${amount(used)} (${amount(estimated)} expected)`;
}

export function amount(credits) {
  return new Intl.NumberFormat("en", { maximumFractionDigits: 2 }).format(credits);
}

export function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ""}`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

// Where the viewer is.
function clock(then) {
  return new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(then);
}

export function age(then, now = Date.now()) {
  const seconds = Math.max(0, (now - then) / 1000);
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (seconds >= size) {
      const count = Math.floor(seconds / size);
      return `${count} ${unit}${count > 1 ? "s" : ""} ago`;
    }
  }
  return "just now";
}

function phaseOf(instance, result) {
  if (STATES.done.includes(instance.state)) return isUnfinished(result) ? "submitted" : "done";
  return STATES.failed.includes(instance.state) ? "failed" : "active";
}

function labelOf(instance, submitted, result, unreachableSince) {
  if (instance.state === "success" && isUnfinished(result)) return "submitted";
  if (instance.state !== "deferred" && instance.state !== "running") return LABELS[instance.state] ?? String(instance.state);
  if (submitted.video_task_id) return "in progress";
  if (unreachableSince !== undefined) return `API unreachable since ${clock(unreachableSince)}`;
  return isTrigger(instance, "SlotTrigger") ? "waiting for a free slot" : LABELS[instance.state] ?? "starting";
}

function isTrigger(instance, name) {
  return instance.state === "deferred" && Boolean(instance.trigger?.classpath?.endsWith(`.${name}`));
}

// A task with wait_for_completion=False ends when its video has only just been asked for.
function isUnfinished(result) {
  return typeof result.status === "string" && result.status !== "success";
}

function failureOf(instance, failure) {
  if (instance.state !== "failed" && instance.state !== "up_for_retry") return undefined;
  return {
    message: text(failure.message) ?? "The log of the task says why.",
    advice: text(failure.advice),
    reason: text(failure.reason),
  };
}

function creditsOf(known) {
  return { used: number(known.credits_used), estimated: number(known.estimated_credits) };
}

function sizeOf(known, rendered) {
  const inputs = object(known.inputs);
  const pixels = number(known.width) && number(known.height) ? `${known.width} × ${known.height}` : undefined;
  const size = pixels ?? text(inputs.resolution) ?? text(inputs.aspect_ratio) ?? text(rendered.resolution);
  const length = inputs.duration ?? rendered.duration;
  const seconds = number(typeof length === "string" ? Number(length) : length);
  return [size, seconds && `${seconds} s`].filter(Boolean).join(", ") || undefined;
}

function mismatchesOf({ mismatches }) {
  return Array.isArray(mismatches) ? mismatches.filter(text).join("; ") || undefined : undefined;
}

function vendorUrl(result, now) {
  const url = text(result.video_url);
  const completed = moment(result.completed_at);
  if (!url || !/^https?:\/\//i.test(url)) return undefined;
  return completed !== undefined && now - completed > KEPT_MS ? undefined : url;
}

function object(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? value : {};
}

function text(value) {
  return typeof value === "string" && value.trim() && value !== "None" ? value : undefined;
}

function number(value) {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function moment(value) {
  const found = typeof value === "string" ? Date.parse(value) : NaN;
  return Number.isNaN(found) ? undefined : found;
}

function range(value) {
  const ends = Array.isArray(value) ? value.map(number) : [];
  return ends.length === 2 && ends.every(Boolean) ? ends : undefined;
}
