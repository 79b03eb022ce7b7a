/** Stacked bars of energy, and the figures that stand beside them. Pure. */

import type { DeviceEnergyAnswer, EnergyTableAnswer } from "../api/types";
import { clockTime, dayKey, formatAt, zoneOffset } from "./format";
import type { Division, Span } from "./past";

/** Energies in kWh; null where nothing was measured. */
export type Figures = readonly (number | null)[];

/** One colour of the bars. */
export interface Layer {
  /** Key of its name in `locales/<language>/history.json`. */
  name: string;
  /** Its token of colour, without the dashes. */
  colour: string;
  /** Whether it hangs below the line. */
  below: boolean;
  values: Figures;
}

/** A layer's part of one bar, in kWh. */
export interface Piece {
  layer: number;
  from: number;
  to: number;
}

const USES: readonly [string, string][] = [
  ["evse", "c-evse"],
  ["heat_pump", "c-heat_pump"],
  ["water_heater", "c-water_heater"],
];
const NOT_USES = new Set(["meter", "pv", "battery", "tie", ""]);

type Way = "taken_kwh" | "given_kwh";

function sumOf(devices: DeviceEnergyAnswer[], way: Way, count: number): (number | null)[] {
  return Array.from({ length: count }, (_, i) =>
    devices.reduce<number | null>((sum, device) => {
      const value = device[way][i] ?? null;
      return value === null ? sum : (sum ?? 0) + value;
    }, null),
  );
}

/** Return the layers of the bars, those without anything left out. */
export function layers(table: EnergyTableAnswer, division: Division): Layer[] {
  const count = table.starts.length;
  const of = (kind: string) => table.devices.filter((device) => device.kind === kind);
  const all = division === "source" ? sources(of, count) : uses(table, of, count);
  return all.filter((layer) => layer.values.some((value) => value !== null && value > 0));
}

function sources(of: (kind: string) => DeviceEnergyAnswer[], count: number): Layer[] {
  const layer = (name: string, kind: string, colour: string, way: Way, below: boolean): Layer => ({
    name,
    colour,
    below,
    values: sumOf(of(kind), way, count),
  });
  return [
    layer("sun", "pv", "c-pv", "given_kwh", false),
    layer("fromBattery", "battery", "c-battery", "given_kwh", false),
    layer("taken", "meter", "c-grid", "taken_kwh", false),
    layer("given", "meter", "c-grid", "given_kwh", true),
    layer("intoBattery", "battery", "c-battery", "taken_kwh", true),
  ];
}

function uses(
  table: EnergyTableAnswer,
  of: (kind: string) => DeviceEnergyAnswer[],
  count: number,
): Layer[] {
  const known = USES.map(([kind, colour]) => ({
    name: kind,
    colour,
    below: false,
    values: sumOf(of(kind), "taken_kwh", count),
  }));
  const named = new Set(USES.map(([kind]) => kind));
  const others = table.devices.filter((d) => !NOT_USES.has(d.kind) && !named.has(d.kind));
  const other = sumOf(others, "taken_kwh", count);
  const rest = table.totals.map(({ used_kwh }, i) => {
    if (used_kwh === null) return null;
    const told = known.reduce((sum, { values }) => sum + (values[i] ?? 0), other[i] ?? 0);
    return Math.max(0, used_kwh - told);
  });
  return [
    ...known,
    { name: "others", colour: "ink-soft", below: false, values: other },
    { name: "rest", colour: "c-rest", below: false, values: rest },
  ];
}

/** Return the pieces of a bar, from the line outwards. */
export function pieces(layers: readonly Layer[], bar: number): Piece[] {
  let up = 0;
  let down = 0;
  return layers.flatMap((layer, number) => {
    const value = layer.values[bar] ?? 0;
    if (value <= 0) return [];
    const from = layer.below ? down : up;
    const to = layer.below ? (down -= value) : (up += value);
    return [{ layer: number, from, to }];
  });
}

/** Return the height of a bar above the line and its depth below. */
function reach(layers: readonly Layer[], bar: number): [number, number] {
  const all = pieces(layers, bar).map((piece) => piece.to);
  return [Math.min(0, ...all), Math.max(0, ...all)];
}

/** Return round values for the lines of a scale that holds all bars, zero among them. */
export function scale(sets: readonly (readonly Layer[])[], count: number, lines = 5): number[] {
  const reached = sets.flatMap((set) => Array.from({ length: count }, (_, i) => reach(set, i)));
  const low = Math.min(0, ...reached.map(([each]) => each));
  const high = Math.max(0.001, ...reached.map(([, each]) => each));
  const rough = (high - low) / lines;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5].find((each) => each * power >= rough) ?? 10);
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** Return a device's figures over all periods together. */
export function together(device: DeviceEnergyAnswer, table: EnergyTableAnswer) {
  const known = device.mean_w.flatMap((mean, i) => {
    const measuredS = (device.measured[i] ?? 0) * ((table.ends[i] ?? 0) - (table.starts[i] ?? 0));
    return mean === null ? [] : [{ mean, measuredS }];
  });
  const measuredS = known.reduce((sum, each) => sum + each.measuredS, 0);
  const weighted = known.reduce((sum, each) => sum + each.mean * each.measuredS, 0);
  return {
    taken: add(device.taken_kwh),
    given: add(device.given_kwh),
    mean: measuredS > 0 ? weighted / measuredS : null,
    low: best(device.low_w, Math.min),
    high: best(device.high_w, Math.max),
    socLow: best(device.soc_low, Math.min),
    socHigh: best(device.soc_high, Math.max),
  };
}

function known(values: Figures): number[] {
  return values.filter((value) => value !== null);
}

function add(values: Figures): number | null {
  const all = known(values);
  return all.length === 0 ? null : all.reduce((sum, value) => sum + value, 0);
}

function best(values: Figures, of: (...all: number[]) => number): number | null {
  const all = known(values);
  return all.length === 0 ? null : of(...all);
}

/** Return the share of what has gone of a time that the meter, or else anything, was measured. */
export function measuredShare(table: EnergyTableAnswer, now: number): number {
  const meter = table.devices.find((device) => device.kind === "meter");
  let gone = 0;
  let measured = 0;
  table.starts.forEach((start, i) => {
    const length = Math.min(table.ends[i] ?? start, now) - start;
    if (length <= 0) return;
    gone += length;
    const shares = meter ? [meter.measured[i] ?? 0] : table.devices.map((d) => d.measured[i] ?? 0);
    measured += length * Math.max(0, ...shares);
  });
  return gone === 0 ? 1 : measured / gone;
}

/** Return when each period begins, in words; one that the clock shows twice says by which. */
export function labels(starts: readonly number[], span: Span, zone: string): string[] {
  const plain = starts.map((start) => label(start, span, zone));
  return plain.map((text, i) => {
    const twice = plain.indexOf(text) !== plain.lastIndexOf(text);
    return twice ? `${text} ${zoneOffset(starts[i] ?? 0, zone)}` : text;
  });
}

function label(start: number, span: Span, zone: string): string {
  if (span === "year") return formatAt(start, zone, { month: "short" });
  if (span === "month") return formatAt(start, zone, { day: "numeric" });
  if (span === "week") return formatAt(start, zone, { weekday: "short", day: "numeric" });
  return clockTime(start, zone);
}

/** Return when a period begins as the home's clock shows it: "2026-06-14T13:00". */
export function localStart(start: number, zone: string): string {
  return `${dayKey(start, zone)}T${clockTime(start, zone)}`;
}
