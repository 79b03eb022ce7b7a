/** A day's measurements as the chart draws them and as totals. */

import type { DeviceAnswer, HistoryAnswer, HomeAnswer, SeriesAnswer } from "../api/types";
import { CURRENT } from "./balance";

export type Line = "grid" | "solar" | "battery" | "car";

export interface DayLines {
  /** Instants, UTC epoch seconds. */
  at: number[];
  /** Kilowatts; null where nothing was measured. Solar counts upwards, the rest as consumption. */
  kilowatts: Record<Line, (number | null)[]>;
}

export interface DayTotals {
  taken_wh: number;
  given_wh: number;
  solar_wh: number;
  car_wh: number;
}

const KIND_OF: Record<Line, string> = { grid: "meter", solar: "pv", battery: "battery", car: "evse" };
export const LINES = Object.keys(KIND_OF) as Line[];

/** Add the series of all devices of one kind; null where none of them has a value. */
function sumOf(kind: string, day: HistoryAnswer, devices: DeviceAnswer[]): Map<number, number> {
  const ids = new Set(devices.filter((d) => d.kind === kind).map((d) => d.id));
  const sum = new Map<number, number>();
  for (const series of day.series.filter((s) => ids.has(s.device))) {
    eachValue(series, (at, watts) => sum.set(at, (sum.get(at) ?? 0) + watts));
  }
  return sum;
}

function eachValue(series: SeriesAnswer, use: (at: number, watts: number) => void): void {
  series.at.forEach((at, i) => {
    const watts = series.power_w[i];
    if (watts !== null && watts !== undefined) use(at, watts);
  });
}

/** Return which of the chart's lines this home has. */
export function linesOf(devices: DeviceAnswer[]): Line[] {
  return LINES.filter((line) => devices.some((d) => d.kind === KIND_OF[line]));
}

/** Return the chart's lines for a day; `live`, if given, adds the present instant as last point. */
export function dayLines(
  day: HistoryAnswer,
  devices: DeviceAnswer[],
  live: HomeAnswer | null,
): DayLines {
  const at = [...new Set(day.series.flatMap((s) => s.at))].sort((a, b) => a - b);
  const present = live !== null && live.at > (at.at(-1) ?? day.start) && live.at < day.end;
  const kilowatts = {} as DayLines["kilowatts"];
  for (const line of LINES) {
    const sign = line === "solar" ? -1 : 1;
    const kind = KIND_OF[line];
    const sum = sumOf(kind, day, devices);
    kilowatts[line] = at.map((t) => scaled(sum.get(t), sign));
    if (present) kilowatts[line].push(scaled(presentW(live, kind), sign));
  }
  return { at: present ? [...at, live.at] : at, kilowatts };
}

function scaled(watts: number | undefined, sign: number): number | null {
  return watts === undefined ? null : (sign * watts) / 1000;
}

function presentW(home: HomeAnswer, kind: string): number | undefined {
  const good = home.devices.filter(
    (d) => d.kind === kind && CURRENT.has(d.quality) && d.power_w !== null,
  );
  return good.length === 0 ? undefined : good.reduce((sum, d) => sum + (d.power_w ?? 0), 0);
}

/** Return a day's energies, each interval's mean power times its length. */
export function dayTotals(day: HistoryAnswer, devices: DeviceAnswer[]): DayTotals {
  const hours = day.step_s / 3600;
  const grid = [...sumOf("meter", day, devices).values()];
  return {
    taken_wh: hours * total(grid.filter((w) => w > 0)),
    given_wh: -hours * total(grid.filter((w) => w < 0)),
    solar_wh: -hours * total([...sumOf("pv", day, devices).values()]),
    car_wh: hours * total([...sumOf("evse", day, devices).values()]),
  };
}

function total(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

export interface LimitSpan {
  from: number;
  to: number;
  kilowatts: number;
}

/** Return the import limit in force and how long the running events hold it; null if there is none. */
export function limitSpan(home: HomeAnswer, dayEnd: number): LimitSpan | null {
  const running = home.events.filter((e) => e.state === "running" && !e.opted_out);
  if (home.limit_import_w === null || running.length === 0) return null;
  return {
    from: Math.min(...running.map((e) => e.starts_at ?? home.at)),
    to: Math.max(...running.map((e) => e.ends_at ?? dayEnd)),
    kilowatts: home.limit_import_w / 1000,
  };
}
