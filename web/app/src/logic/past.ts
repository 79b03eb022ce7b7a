/** Which part of the past is looked at: spans of the calendar, as the page's address has them. */

import type { Before, Grain } from "../api/types";
import { capital, dayName, formatDate, shiftDay } from "./format";

export const SPANS = ["hour", "day", "week", "month", "year"] as const;
export type Span = (typeof SPANS)[number];

/** How the bars are divided: by where energy came from, or by what used it. */
export type Division = "source" | "use";

/** A part of the past. */
export interface Place {
  span: Span;
  /** "2026-06-14T13", "2026-06-14" (of a week its Monday), "2026-06" or "2026". */
  at: string;
}

const AT: Record<Span, RegExp> = {
  hour: /^\d{4}-\d\d-\d\dT([01]\d|2[0-3])$/,
  day: /^\d{4}-\d\d-\d\d$/,
  week: /^\d{4}-\d\d-\d\d$/,
  month: /^\d{4}-\d\d$/,
  year: /^\d{4}$/,
};
const STEPS: Record<Span, Grain> = {
  hour: "minute",
  day: "hour",
  week: "day",
  month: "day",
  year: "month",
};
/** The span that a step of each span can be looked at as. */
const WITHIN: Record<Span, Span | null> = {
  hour: null,
  day: "hour",
  week: "day",
  month: "day",
  year: "month",
};
const FIRST_YEAR = 1971;
const LAST_YEAR = 2998;

/** Return whether this is a day that the calendar has. */
function isDay(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 10) === day;
}

/** Return the place of a span that holds a day (ISO 8601), at noon where it is an hour. */
export function placeOf(span: Span, day: string): Place {
  if (span === "hour") return { span, at: `${day}T12` };
  if (span === "week") {
    const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
    return { span, at: shiftDay(day, -weekday) };
  }
  return { span, at: day.slice(0, { day: 10, month: 7, year: 4 }[span]) };
}

/** Return a day of a place: its first. */
export function firstDay({ span, at }: Place): string {
  if (span === "year") return `${at}-01-01`;
  return span === "month" ? `${at}-01` : at.slice(0, 10);
}

/** Return the place that an address names; today's where it names none that there is. */
export function readPlace(span: unknown, at: unknown, today: string): Place {
  const known = SPANS.find((each) => each === span) ?? "day";
  if (typeof at !== "string" || !AT[known].test(at)) return placeOf(known, today);
  const day = firstDay({ span: known, at });
  const year = Number(at.slice(0, 4));
  if (!isDay(day) || year < FIRST_YEAR || year > LAST_YEAR) return placeOf(known, today);
  return known === "hour" ? { span: known, at } : placeOf(known, day);
}

/** Return the place so many spans later. */
export function move(place: Place, by: number): Place {
  const { span, at } = place;
  const date = new Date(`${firstDay(place)}T00:00:00Z`);
  if (span === "hour") date.setUTCHours(Number(at.slice(11)) + by);
  else if (span === "month") date.setUTCMonth(date.getUTCMonth() + by);
  else if (span === "year") date.setUTCFullYear(date.getUTCFullYear() + by);
  else date.setUTCDate(date.getUTCDate() + (span === "week" ? 7 : 1) * by);
  const iso = date.toISOString();
  return span === "hour" ? { span, at: iso.slice(0, 13) } : placeOf(span, iso.slice(0, 10));
}

/** Return another span around, or within, what is looked at. */
export function turnTo(place: Place, span: Span, today: string): Place {
  const day = firstDay(place);
  const end = firstDay(move(place, 1));
  // Looked at more closely, it is today that matters where it is in sight.
  return placeOf(span, day <= today && today < end ? today : day);
}

/** Return what to ask the hub for a place. */
export function question(place: Place, compare: Before | null): {
  from: string;
  to: string;
  step: Grain;
  compare?: Before;
} {
  const ends = move(place, 1);
  const asked =
    place.span === "hour"
      ? { from: `${place.at}:00`, to: `${ends.at}:00` }
      : { from: firstDay(place), to: firstDay(ends) };
  return { ...asked, step: STEPS[place.span], ...(compare === null ? {} : { compare }) };
}

/** Return the place of a step of a place, by its local start; null where there is none within. */
export function within(place: Place, local: string): Place | null {
  const span = WITHIN[place.span];
  if (span === null) return null;
  return span === "hour" ? { span, at: local.slice(0, 13) } : placeOf(span, local.slice(0, 10));
}

/** Return what people call a place: "Sunday 14 June 2026", "June 2026", "8 – 14 June 2026". */
export function title(place: Place, today: string): string {
  const { span, at } = place;
  if (span === "year") return at;
  const day = firstDay(place);
  if (span === "month") return capital(formatDate(day, { month: "long", year: "numeric" }));
  if (span === "week") {
    const year = { day: "numeric", month: "short", year: "numeric" } as const;
    return `${formatDate(day, { day: "numeric", month: "short" })} – ${formatDate(shiftDay(day, 6), year)}`;
  }
  const near = day === today || day === shiftDay(today, -1);
  const far = { weekday: "long", day: "numeric", month: "long", year: "numeric" } as const;
  const named = near ? dayName(day, today) : capital(formatDate(day, far));
  return span === "hour" ? `${named}, ${at.slice(11)}:00 – ${move(place, 1).at.slice(11)}:00` : named;
}
