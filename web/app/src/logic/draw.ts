/** Paths of a lane for SVG, in pixels. Pure. */

import type { Lane, Span } from "./timeline";

/** Where time and values lie on the paper. */
export interface Paper {
  start: number;
  end: number;
  width: number;
  height: number;
}

/** Air above the highest value, so that a line at the limit can be seen. */
const AIR_PX = 3;

/** Return where an instant lies. */
export function xOf(paper: Paper, at: number): number {
  return round(((at - paper.start) / (paper.end - paper.start)) * paper.width);
}

/** Return where a value lies on a scale from `low` to `high`. */
export function yOf(paper: Paper, low: number, high: number, value: number): number {
  const share = (value - low) / (high - low);
  return round(paper.height - share * (paper.height - AIR_PX));
}

/** Return the instant at a place, by steps of whole minutes. */
export function atX(paper: Paper, x: number, step = 60): number {
  const at = paper.start + (x / paper.width) * (paper.end - paper.start);
  return Math.min(paper.end - step, Math.max(paper.start, Math.round(at / step) * step));
}

/** Return runs of neighbouring spans that all have a value. */
function runs(spans: readonly Span[]): { from: number; to: number; value: number }[][] {
  const found: { from: number; to: number; value: number }[][] = [];
  let last = NaN;
  for (const { from, to, value } of spans) {
    if (value === null) continue;
    const run = found.at(-1);
    if (run !== undefined && from - last < 1) run.push({ from, to, value });
    else found.push([{ from, to, value }]);
    last = to;
  }
  return found;
}

/** Return a stepped line through spans, broken where nothing is known. */
export function line(spans: readonly Span[], scale: { low: number; high: number }, paper: Paper): string {
  return runs(spans)
    .map((run) =>
      run
        .map((s, i) => {
          const y = yOf(paper, scale.low, scale.high, s.value);
          return `${i === 0 ? "M" : "L"}${xOf(paper, s.from)} ${y}H${xOf(paper, s.to)}`;
        })
        .join(""),
    )
    .join("");
}

/** Return the area between spans and zero. */
export function area(spans: readonly Span[], lane: Lane, paper: Paper): string {
  const zero = yOf(paper, lane.low, lane.high, 0);
  return runs(spans)
    .map((run) => {
      const steps = run.map(
        (s) => `V${yOf(paper, lane.low, lane.high, s.value)}H${xOf(paper, s.to)}`,
      );
      return `M${xOf(paper, run[0]?.from ?? 0)} ${zero}${steps.join("")}V${zero}Z`;
    })
    .join("");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
