/** The form of an event: what is filled in, what is wrong with it, and the order made of it. Pure. */

import type { EventIn } from "../api/types";
import { kindOf } from "./kinds";

/** What is filled in; texts as the browser's fields have them. */
export interface Draft {
  kind: string;
  value: string;
  /** mRID of a programme; empty for the one that the rules choose. */
  program: string;
  /** null for everybody. */
  group: string | null;
  start: "now" | "in" | "at";
  /** Minutes from now on. */
  lead: string;
  /** Local time, as a field for date and time has it. */
  at: string;
  minutes: string;
  /** Ranges, s. */
  randomStart: string;
  randomDuration: string;
}

const MINUTE_S = 60;
const MOST_MINUTES = 7 * 24 * 60;
const MOST_RANDOM_S = 3600;
const MOST_LEAD_MIN = 366 * 24 * 60;

/** Return a form as it is before anything is filled in. */
export function fresh(group: string | null): Draft {
  return {
    kind: "limit_import_w",
    value: String(kindOf("limit_import_w").usual),
    program: "",
    group,
    start: "in",
    lead: "5",
    at: "",
    minutes: "60",
    randomStart: "60",
    randomDuration: "0",
  };
}

/** What is wrong: the key of its words, by the field. */
export type Flaws = Partial<Record<keyof Draft, string>>;

/** Return what is wrong with a form. */
export function flaws(draft: Draft, nowMs: number): Flaws {
  const found: Flaws = {};
  const kind = kindOf(draft.kind);
  if (kind.unit !== "" && !within(draft.value, kind.least, kind.most)) found.value = "events.form.badValue";
  if (draft.start === "in" && !within(draft.lead, 0, MOST_LEAD_MIN)) found.lead = "events.form.badLead";
  if (draft.start === "at" && !(timeOf(draft.at) * 1000 > nowMs)) found.at = "events.form.badAt";
  if (!within(draft.minutes, 1, MOST_MINUTES)) found.minutes = "events.form.badMinutes";
  for (const name of ["randomStart", "randomDuration"] as const) {
    const whole = /^[+-]?\d+$/.test(draft[name].trim());
    if (!whole || !within(draft[name], -MOST_RANDOM_S, MOST_RANDOM_S)) found[name] = "events.form.badRandom";
  }
  return found;
}

function within(text: string, least: number, most: number): boolean {
  const value = numberOf(text);
  return value >= least && value <= most;
}

/** Return the number that somebody wrote, with a point or a comma; NaN where it is none. */
export function numberOf(text: string | number): number {
  const plain = String(text).trim().replace(",", ".").replace("\u2212", "-");
  return plain === "" ? NaN : Number(plain);
}

/** Return a local date and time as epoch seconds; NaN where it is none. */
export function timeOf(local: string): number {
  return Math.floor(new Date(local).getTime() / 1000);
}

/** Return the order of a form without flaws. */
export function orderOf(draft: Draft): EventIn {
  const kind = kindOf(draft.kind);
  const value = kind.unit === "" ? false : numberOf(draft.value) * kind.by;
  const lead = Math.round(numberOf(draft.lead) * MINUTE_S);
  return {
    // Thousands of kilowatts have no fractions of a watt.
    [kind.field]: typeof value === "number" ? Math.round(value * 1e6) / 1e6 : value,
    minutes: numberOf(draft.minutes),
    randomize_start_s: numberOf(draft.randomStart),
    randomize_duration_s: numberOf(draft.randomDuration),
    ...(draft.program === "" ? {} : { program: draft.program }),
    ...(draft.group === null ? {} : { group: draft.group }),
    ...(draft.start === "at" ? { start: timeOf(draft.at) } : {}),
    ...(draft.start === "in" && lead > 0 ? { start: `+${lead}s` } : {}),
  } as EventIn;
}

/** Return when the event of a form is to be, epoch s; null where that cannot be said. */
export function windowOf(draft: Draft, nowMs: number): { from: number; to: number } | null {
  const now = Math.ceil(nowMs / 1000);
  const from =
    draft.start === "at" ? timeOf(draft.at) : draft.start === "in" ? now + numberOf(draft.lead) * MINUTE_S : now;
  const to = from + numberOf(draft.minutes) * MINUTE_S;
  return Number.isFinite(from) && Number.isFinite(to) && to > from ? { from: Math.round(from), to: Math.round(to) } : null;
}
