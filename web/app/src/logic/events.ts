/** Which events the page shows, in which order, and how far each has come. */

import type { EventAnswer } from "../api/types";
import { countdown, interval, moment } from "./format";
import type { Say } from "./say";

const ORDER: Record<string, number> = { running: 0, coming: 1 };

/** Return the running events, then the coming ones, each soonest first. */
export function live(events: EventAnswer[]): EventAnswer[] {
  return events
    .filter((e) => e.state in ORDER)
    .sort(
      (a, b) =>
        (ORDER[a.state] ?? 0) - (ORDER[b.state] ?? 0) || (a.starts_at ?? 0) - (b.starts_at ?? 0),
    );
}

/** Return the last events that are over, newest first. */
export function over(events: EventAnswer[], most: number): EventAnswer[] {
  return events
    .filter((e) => !(e.state in ORDER))
    .sort((a, b) => (b.ends_at ?? Infinity) - (a.ends_at ?? Infinity))
    .slice(0, most);
}

/** Return how much of an event has passed, 0 to 1; null if it has no end or has not begun. */
export function progress(event: EventAnswer, now: number): number | null {
  const { starts_at: start, ends_at: end } = event;
  if (event.state !== "running" || start === null || end === null || end <= start) return null;
  return Math.min(1, Math.max(0, (now - start) / (end - start)));
}

/** Return what is counted down to, "begins" or "ends", and the figure; null without such a time. */
export function remaining(
  event: EventAnswer,
  now: number,
): { to: "begins" | "ends"; time: string } | null {
  const to = event.state === "coming" ? "begins" : "ends";
  const at = to === "begins" ? event.starts_at : event.ends_at;
  return at === null ? null : { to, time: countdown(at - now) };
}

/** Return from when until when an event lasts. */
export function when(say: Say, event: EventAnswer, now: number, zone: string): string {
  const { starts_at: start, ends_at: end } = event;
  if (start !== null && end !== null) return interval(start, end, now, zone);
  if (end !== null) return say("home.when.until", { until: moment(end, now, zone) });
  if (start === null) return say("home.when.open");
  return say("home.when.from", { from: moment(start, now, zone) });
}
