/** Which events the page shows, in which order, and how far each has come. */

import type { EventAnswer } from "../api/types";
import { countdown, interval } from "./format";

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

/** Return the countdown's label and figure; null for an event without an end. */
export function remaining(event: EventAnswer, now: number): { label: string; time: string } | null {
  if (event.state === "coming") {
    return event.starts_at === null
      ? null
      : { label: "begins in", time: countdown(event.starts_at - now) };
  }
  return event.ends_at === null
    ? null
    : { label: "ends in", time: countdown(event.ends_at - now) };
}

export function when(event: EventAnswer, now: number, zone: string): string {
  return interval(event.starts_at, event.ends_at, now, zone);
}
