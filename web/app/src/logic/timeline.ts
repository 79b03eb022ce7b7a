/** One timeline for the whole house: what was measured and what is planned, lane by lane. Pure. */

import type {
  AccountAnswer,
  DeviceAnswer,
  EventAnswer,
  HistoryAnswer,
  HomeAnswer,
  PlanAnswer,
} from "../api/types";
import { isMeter, PART_OF, type Part } from "./balance";
import { clockTime } from "./format";

/** A value that holds from an instant to another; null where nothing is known. */
export interface Span {
  from: number;
  to: number;
  value: number | null;
}

export type LaneName = "price" | Part;

/** One line of the timeline. Powers in kW: the sun's counts upwards, all else as consumption. */
export interface Lane {
  name: LaneName;
  measured: Span[];
  planned: Span[];
  /** What must not be exceeded. */
  limit: Span[];
  /** Charge from 0 to 1; empty where the lane has none. */
  level: Span[];
  low: number;
  high: number;
  /** Of all that is known, in the window and beyond it. */
  range: { least: number; most: number };
}

/** An event over the lanes. */
export interface Band {
  event: EventAnswer;
  from: number;
  to: number;
}

/** What of time is shown. */
export interface Frame {
  start: number;
  end: number;
  /** The present instant, UTC epoch seconds. */
  now: number;
}

/** What the timeline is made of; each may be missing. */
export interface Sources {
  home: HomeAnswer;
  day: HistoryAnswer | null;
  plan: PlanAnswer | null;
  /** Accounts by quarter-hours: what a kWh has cost. */
  accounts: readonly AccountAnswer[];
}

const HALF_S = 12 * 3600;
const ORDER: readonly Part[] = ["solar", "grid", "battery", "car", "heat", "rest"];
const LEAST_KW = 0.5;
const LEAST_WH = 20;
/** How far above what flows a limit is still shown. */
const NEAR = 1.5;
/** Prices closer than this are the same to a reader. */
const SAME = 1e-4;

/** Return the window that rolls with time: half a day back, half a day ahead, by whole minutes. */
export function rolling(now: number): Frame {
  const minute = Math.floor(now / 60) * 60;
  return { start: minute - HALF_S, end: minute + HALF_S, now: minute };
}

/** Return the lanes that this home has, in order. */
export function lanes(sources: Sources, frame: Frame): Lane[] {
  const parts = ORDER.filter(
    (part) => part === "grid" || part === "rest" || members(sources.home, part).length > 0,
  ).map((part) => powerLane(part, sources, frame));
  const price = priceLane(sources, frame);
  return price === null ? parts : [price, ...parts];
}

/** Return the events that fall into the window and were or are going to be carried out. */
export function bands(events: readonly EventAnswer[], frame: Frame): Band[] {
  return events
    .filter((e) => e.state !== "rejected" && e.state !== "cancelled")
    .map((event) => ({
      event,
      from: Math.max(frame.start, event.starts_at ?? frame.start),
      to: Math.min(frame.end, event.ends_at ?? frame.end),
    }))
    .filter((band) => band.from < band.to);
}

/** Return what holds at an instant; null where nothing is known. */
export function valueAt(spans: readonly Span[], at: number): number | null {
  return spans.find((s) => s.from <= at && at < s.to)?.value ?? null;
}

/** Return what a lane says at an instant, and whether it was measured or is planned. */
export function laneAt(lane: Lane, at: number): { value: number; planned: boolean } | null {
  const measured = valueAt(lane.measured, at);
  if (measured !== null) return { value: measured, planned: false };
  const planned = valueAt(lane.planned, at);
  return planned === null ? null : { value: planned, planned: true };
}

function members(home: HomeAnswer, part: Part): DeviceAnswer[] {
  return home.devices.filter((d) => PART_OF[d.kind] === part);
}

function powerLane(part: Part, sources: Sources, frame: Frame): Lane {
  const sign = part === "solar" ? -1 : 1;
  const measured = kilowatts(measuredW(part, sources), sign);
  const planned = kilowatts(plannedW(part, sources), sign);
  const lane = {
    name: part,
    measured: within(measured, { ...frame, end: Math.min(frame.end, frame.now) }),
    planned: within(planned, { ...frame, start: Math.max(frame.start, frame.now) }),
    limit: part === "grid" ? within(limits(sources, frame), frame) : [],
    level: part === "battery" ? within(levels(sources, frame), frame) : [],
  };
  const { least, most } = rangeOf([...lane.measured, ...lane.planned], LEAST_KW);
  // A limit far above all that flows is no news, and would make what flows small.
  const limit = lane.limit.filter((s) => (s.value ?? 0) <= NEAR * most);
  const high = rangeOf(limit, most).most;
  return { ...lane, limit, low: least, high, range: { least, most } };
}

/** Return the least and the most of what spans hold; they reach from zero to `most` at least. */
function rangeOf(spans: Span[], most: number): { least: number; most: number } {
  const values = spans.flatMap((s) => s.value ?? []);
  return { least: Math.min(0, ...values), most: Math.max(most, ...values) };
}

function kilowatts(spans: Span[], sign: number): Span[] {
  return spans.map((s) => ({ ...s, value: s.value === null ? null : (sign * s.value) / 1000 }));
}

/** Cut spans to a window; what lies outside is left out. */
function within(spans: Span[], { start, end }: { start: number; end: number }): Span[] {
  return spans
    .filter((s) => s.to > start && s.from < end)
    .map((s) => ({ ...s, from: Math.max(s.from, start), to: Math.min(s.to, end) }));
}

/** Add up what the devices of a part took, interval by interval; the rest is the meter's less all. */
function measuredW(part: Part, { home, day }: Sources): Span[] {
  if (day === null) return [];
  if (part !== "rest") {
    const wanted = part === "grid" ? home.devices.filter(isMeter) : members(home, part);
    return spansOf(sumOf(day, wanted), day.step_s);
  }
  const sum = sumOf(day, home.devices.filter(isMeter));
  const apart = sumOf(day, home.devices.filter((d) => d.kind in PART_OF));
  const rest = new Map<number, number>();
  for (const [at, watts] of sum) rest.set(at, Math.max(0, watts - (apart.get(at) ?? 0)));
  return spansOf(rest, day.step_s);
}

function sumOf(day: HistoryAnswer, devices: DeviceAnswer[]): Map<number, number> {
  const ids = new Set(devices.map((d) => d.id));
  const sum = new Map<number, number>();
  for (const series of day.series.filter((s) => ids.has(s.device))) {
    series.at.forEach((at, i) => {
      const watts = series.power_w[i];
      if (watts !== null && watts !== undefined) sum.set(at, (sum.get(at) ?? 0) + watts);
    });
  }
  return sum;
}

function spansOf(values: Map<number, number>, step: number): Span[] {
  return [...values]
    .sort(([a], [b]) => a - b)
    .map(([at, value]) => ({ from: at, to: at + step, value }));
}

function slots(plan: PlanAnswer, values: readonly (number | null)[]): Span[] {
  return values.map((value, i) => ({
    from: plan.start + i * plan.step_s,
    to: plan.start + (i + 1) * plan.step_s,
    value,
  }));
}

function plannedW(part: Part, { home, plan }: Sources): Span[] {
  if (plan === null) return [];
  if (part === "solar") return slots(plan, plan.sun_w);
  if (part === "grid") return slots(plan, plan.net_w);
  if (part === "rest") return slots(plan, plan.load_w);
  const planned = members(home, part).flatMap((d) => {
    const course = plan.devices[d.id];
    return course === undefined ? [] : [course.power_w];
  });
  if (planned.length === 0) return [];
  return slots(plan, plan.net_w.map((_, i) => planned.reduce((sum, w) => sum + (w[i] ?? 0), 0)));
}

/** The import limit: that of running events from their begin, then that of the plan. */
function limits({ home, plan }: Sources, frame: Frame): Span[] {
  const running = home.events.filter((e) => e.state === "running" && !e.opted_out);
  const found: Span[] = [];
  if (home.limit_import_w !== null && running.length > 0) {
    const from = Math.min(...running.map((e) => e.starts_at ?? frame.now));
    const to = Math.max(...running.map((e) => e.ends_at ?? frame.end));
    found.push({ from, to, value: home.limit_import_w / 1000 });
  }
  const until = found[0]?.to ?? frame.now;
  if (plan !== null) {
    const coming = kilowatts(slots(plan, plan.limit_import_w), 1);
    found.push(...within(coming, { start: until, end: frame.end }));
  }
  return found.filter((s) => s.value !== null);
}

function levels({ home, day, plan }: Sources, frame: Frame): Span[] {
  const battery = members(home, "battery").find((d) => d.soc !== null);
  if (battery === undefined) return [];
  const series = day?.series.find((s) => s.device === battery.id);
  const past = (series?.at ?? []).map((at, i) => ({
    from: at,
    to: at + (day?.step_s ?? 0),
    value: series?.soc[i] ?? null,
  }));
  const course = plan?.devices[battery.id]?.level ?? [];
  const coming = plan === null ? [] : slots(plan, course);
  return [...past.filter((s) => s.from < frame.now), ...within(coming, { ...frame, start: frame.now })];
}

/** What a kWh has cost by the accounts, and costs by the plan; null where nobody knows a price. */
function priceLane({ plan, accounts }: Sources, frame: Frame): Lane | null {
  const coming = plan === null ? [] : slots(plan, plan.import_per_kwh);
  const from = coming[0]?.from ?? frame.now;
  const gone = accounts
    .filter((a) => a.import_wh >= LEAST_WH && a.end <= from)
    .map((a) => ({ from: a.start, to: a.end, value: (a.cost * 1000) / a.import_wh }));
  const spans = within([...gone, ...coming], frame);
  if (!spans.some((s) => s.value !== null)) return null;
  const known = [...gone, ...coming].flatMap((s) => s.value ?? []);
  const { least, most } = rangeOf(spans, 0.01);
  return {
    name: "price",
    measured: spans,
    planned: [],
    limit: [],
    level: [],
    low: least,
    high: most,
    range: { least: Math.min(...known), most: Math.max(...known) },
  };
}

/** Return spans with neighbours of the same value made one. */
export function alike(spans: readonly Span[]): Span[] {
  const found: Span[] = [];
  for (const span of spans) {
    const last = found.at(-1);
    const met = last !== undefined && last.to === span.from;
    if (met && Math.abs((last.value ?? NaN) - (span.value ?? NaN)) < SAME) last.to = span.to;
    else found.push({ ...span });
  }
  return found;
}

/** How a price stands among those shown. */
export type Class = "cheap" | "middle" | "dear";

/** Return how dear a price is among all that are known, by thirds of what lies between them. */
export function priceClass(lane: Lane, price: number): Class {
  const { least, most } = lane.range;
  if (most - least < SAME) return "middle";
  const share = (price - least) / (most - least);
  if (share < 1 / 3) return "cheap";
  return share > 2 / 3 ? "dear" : "middle";
}

const QUARTER_S = 900;

/** Return the full hours of the home's clock in a window, each so many hours; right over DST. */
export function ticks(frame: Frame, zone: string, everyHours: number): number[] {
  const found: number[] = [];
  for (let at = Math.ceil(frame.start / QUARTER_S) * QUARTER_S; at < frame.end; at += QUARTER_S) {
    const [hour, minute] = clockTime(at, zone).split(":");
    if (minute === "00" && Number(hour) % everyHours === 0) found.push(at);
  }
  return found;
}
