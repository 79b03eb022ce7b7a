/** Days and months as they begin on the clock of the home's zone. */

import { dayKey } from "./format";

/** How far a zone's clock is ahead of UTC at an instant, in s; "" is the browser's own zone. */
function ahead(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone === "" ? undefined : zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(at * 1000);
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const wall = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
  return wall / 1000 - Math.floor(at);
}

/** Return when a day (ISO 8601) begins, UTC epoch seconds; its first instant where midnight is skipped. */
export function dayStart(day: string, zone: string): number {
  const wall = Date.parse(`${day}T00:00:00Z`) / 1000;
  const before = wall - ahead(wall - 86_400, zone);
  const after = wall - ahead(wall + 86_400, zone);
  for (const at of [Math.min(before, after), Math.max(before, after)]) {
    if (dayKey(at, zone) === day && dayKey(at - 1, zone) < day) return at;
  }
  return Math.max(before, after);
}

/** A month: its key "2026-03", and from when until when it lasts, UTC epoch seconds. */
export interface Month {
  key: string;
  start: number;
  end: number;
}

/** Return the month that an instant lies in. */
export function monthOf(at: number, zone: string): Month {
  return month(dayKey(at, zone).slice(0, 7), zone);
}

/** Return the months up to that of `now`, the latest first. */
export function lastMonths(now: number, count: number, zone: string): Month[] {
  const found = [monthOf(now, zone)];
  while (found.length < count) {
    found.push(monthOf((found[found.length - 1] as Month).start - 1, zone));
  }
  return found;
}

function month(key: string, zone: string): Month {
  const [year, number] = key.split("-").map(Number) as [number, number];
  const next = number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, "0")}`;
  return { key, start: dayStart(`${key}-01`, zone), end: dayStart(`${next}-01`, zone) };
}
