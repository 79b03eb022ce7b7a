/** What uPlot is told: series, axes and scales in the page's words and colours. */

import uPlot from "uplot";
import type { DayLines, LimitSpan, Line } from "../logic/day";
import { clockTime } from "../logic/format";

const NAMES: Record<Line, string> = {
  grid: "Grid, taken +",
  solar: "Solar",
  battery: "Battery, charging +",
  car: "Car",
};
const COLOURS: Record<Line, string> = {
  grid: "--c-grid",
  solar: "--c-pv",
  battery: "--c-battery",
  car: "--c-evse",
};
const LEAST_KW = 1;
const HEADROOM = 1.08;

interface Shown {
  start: number;
  end: number;
}

/** Return the plot's columns: instants, one for each line, and the limit last. */
export function data(
  lines: Line[],
  plotted: DayLines,
  limit: LimitSpan | null,
): uPlot.AlignedData {
  const columns: uPlot.AlignedData = [plotted.at, ...lines.map((line) => plotted.kilowatts[line])];
  const none = [...columns, plotted.at.map(() => null)] as uPlot.AlignedData;
  if (limit === null) return none;
  // The limit has ends of its own, on instants at which nothing was measured.
  const edges: uPlot.AlignedData = [
    [limit.from, limit.to],
    [limit.kilowatts, limit.kilowatts],
  ];
  // Instants that only the limit has are left out of the other lines, not drawn as gaps.
  const joined = uPlot.join([columns, edges], [
    columns.map(() => 1),
    [1, 1],
  ]);
  const held = Array.from(joined[0], (at) =>
    at >= limit.from && at <= limit.to ? limit.kilowatts : null,
  );
  return [...joined.slice(0, -1), held] as uPlot.AlignedData;
}

export function options(
  lines: Line[],
  style: CSSStyleDeclaration,
  size: { width: number; height: number },
  zone: string,
  shown: () => Shown,
): uPlot.Options {
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const colours = ["", ...lines.map((line) => colour(COLOURS[line])), colour("--bad-ink")];
  const narrow = size.width < 500;
  const axis = {
    stroke: colour("--ink-soft"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font: `13px ${colour("--sans")}`,
  };
  return {
    ...size,
    ...(zone === "" ? {} : { tzDate: (at: number) => uPlot.tzDate(new Date(at * 1000), zone) }),
    padding: [8, 20, 0, 0],
    legend: { markers: { fill: (_, i) => colours[i] ?? "" } },
    hooks: { setLegend: [showLast] },
    cursor: { drag: { x: false, y: false }, y: false },
    scales: {
      x: { time: true, range: () => [shown().start, shown().end] },
      y: { range: (_, low, high) => around(low, high) },
    },
    axes: [
      { ...axis, values: (_, at) => at.map((t) => clockTime(t, zone)), space: narrow ? 60 : 70, size: 30 },
      { ...axis, size: narrow ? 34 : 46, values: (_, kw) => kw.map((v) => `${v}`), label: "kW", labelSize: 18 },
    ],
    series: [
      { label: "Time", value: (_, at) => (at == null ? "\u2013" : clockTime(at, zone)) },
      ...lines.map((line) => series(line, colour)),
      {
        label: "Limit",
        stroke: colour("--bad-ink"),
        width: 2,
        dash: [7, 5],
        value: (_: uPlot, kw: number | null) => kilowatts(kw),
      },
    ],
  };
}

function series(line: Line, colour: (name: string) => string): uPlot.Series {
  const stroke = colour(COLOURS[line]);
  return {
    label: NAMES[line],
    stroke,
    width: line === "grid" ? 2.25 : 1.6,
    ...(line === "solar" ? { fill: `color-mix(in srgb, ${stroke} 26%, transparent)` } : {}),
    value: (_, kw) => kilowatts(kw),
    points: { show: false },
  };
}

/** Show the newest figures in the legend while the pointer is elsewhere. */
export function showLast(plot: uPlot): void {
  const columns = plot.data.slice(1, -1); // the limit reaches beyond what was measured
  const last = plot.data[0].findLastIndex((_, i) => columns.some((c) => typeof c[i] === "number"));
  if (plot.legend.idx == null && last >= 0) plot.setLegend({ idx: last }, false);
}

/** uPlot asks with nothing too, and with an index of data that it no longer has. */
function kilowatts(kw: number | null | undefined): string {
  return kw == null ? "\u2013" : `${kw.toFixed(1)} kW`;
}

/** Return a range that holds all figures and zero, with a little air. */
function around(low: number | null, high: number | null): [number, number] {
  const bottom = Math.min(0, low ?? 0) * HEADROOM;
  return [bottom, Math.max(LEAST_KW, high ?? 0) * HEADROOM];
}
