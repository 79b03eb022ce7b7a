/** The chart of what an event has delivered: steps and scales, in pixels. Pure. */

export interface Step {
  start: number;
  duration_s: number;
  /** null where nothing is known. */
  value: number | null;
}

export interface Plane {
  from: number;
  to: number;
  low: number;
  high: number;
  width: number;
  height: number;
}

const LINES = 4;

/** Return round values from the least to the most, zero among them, for lines across a chart. */
export function scale(values: readonly (number | null)[]): number[] {
  const known = values.filter((value): value is number => value !== null);
  const low = Math.min(0, ...known);
  const high = Math.max(0, ...known);
  const rough = (high - low || 1) / LINES;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((each) => each * ten >= rough) ?? 10) * ten;
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step));
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

export function xOf(plane: Plane, at: number): number {
  return round(((at - plane.from) / (plane.to - plane.from)) * plane.width);
}

export function yOf(plane: Plane, value: number): number {
  return round(plane.height - ((value - plane.low) / (plane.high - plane.low)) * plane.height);
}

/** Return a stepped line, broken where nothing is known. */
export function line(steps: readonly Step[], plane: Plane): string {
  let last = NaN;
  return steps
    .map(({ start, duration_s, value }) => {
      if (value === null) {
        last = NaN;
        return "";
      }
      const joined = Math.abs(start - last) < 1;
      last = start + duration_s;
      return `${joined ? "L" : "M"}${xOf(plane, start)} ${yOf(plane, value)}H${xOf(plane, last)}`;
    })
    .join("");
}

/** Return bars from zero. */
export function bars(steps: readonly Step[], plane: Plane): { x: number; y: number; width: number; height: number }[] {
  const zero = yOf(plane, 0);
  return steps.flatMap(({ start, duration_s, value }) => {
    if (value === null) return [];
    const y = yOf(plane, value);
    const x = xOf(plane, start);
    const width = Math.max(1, xOf(plane, start + duration_s) - x - 1);
    return [{ x, y: Math.min(y, zero), width, height: Math.max(1, Math.abs(y - zero)) }];
  });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
