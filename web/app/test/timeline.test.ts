import { describe, expect, it } from "vitest";
import type { AccountAnswer, HistoryAnswer } from "../src/api/types";
import { area, atX, line, xOf } from "../src/logic/draw";
import { said } from "../src/logic/looked";
import {
  bands,
  laneAt,
  lanes,
  priceClass,
  rolling,
  ticks,
  type Lane,
  type LaneName,
  type Sources,
} from "../src/logic/timeline";
import { device, event, home, plan } from "./home";
import { plain, say } from "./say";

const NOW = 1800;
const FRAME = { start: 0, end: 3600, now: NOW };
const devices = [
  device("meter", "meter"),
  device("east", "pv"),
  device("west", "pv"),
  device("car", "evse", { name: "Wallbox" }),
];
const at = [0, 900, 1800];
const none = [null, null, null];
const day: HistoryAnswer = {
  start: 0,
  end: 3600,
  step_s: 900,
  day: null,
  today: "1970-01-01",
  time_zone: "",
  series: [
    { device: "meter", at, power_w: [1000, -2000, 9999], soc: none },
    { device: "east", at, power_w: [-1000, -3000, null], soc: none },
    { device: "west", at, power_w: [-500, null, null], soc: none },
    { device: "car", at, power_w: [0, 500, null], soc: none },
  ],
};
const step = { starts_at: 1800, ends_at: 2700, power_w: 7000, use: "", reason: "It is cheap" };
const planned = plan(6, {
  start: 900,
  import_per_kwh: [0.3, 0.1, 0.2, 0.3, 0.3, 0.3],
  sun_w: [-100, -200, 0, 0, 0, 0],
  net_w: [400, 7200, 400, 400, 400, 400],
  limit_import_w: [null, null, 2000, null, null, null],
  devices: { car: { power_w: [0, 7000, 0, 0, 0, 0], level: [], steps: [step] } },
});
const sources: Sources = { home: home(devices), day, plan: planned, accounts: [] };

function lane(name: LaneName, from: Sources = sources): Lane {
  const found = lanes(from, FRAME).find((each) => each.name === name);
  if (found === undefined) throw new Error(`no lane ${name}`);
  return found;
}

const drawn = (spans: { from: number; to: number; value: number | null }[]): (number | null)[][] =>
  spans.map((s) => [s.from, s.to, s.value]);

describe("the lanes", () => {
  it("are those that the home has, the price first", () => {
    expect(lanes(sources, FRAME).map((each) => each.name)).toEqual([
      "price",
      "solar",
      "grid",
      "car",
      "rest",
    ]);
    expect(lanes({ ...sources, plan: null }, FRAME)[0]?.name).toBe("solar");
  });

  it("are measured until now and planned from now on", () => {
    expect(drawn(lane("solar").measured)).toEqual([
      [0, 900, 1.5],
      [900, 1800, 3],
    ]);
    expect(drawn(lane("solar").planned)).toEqual([
      [1800, 2700, 0.2],
      [2700, 3600, -0],
    ]);
    expect(laneAt(lane("car"), 1700)).toEqual({ value: 0.5, planned: false });
    expect(laneAt(lane("car"), NOW)).toEqual({ value: 7, planned: true });
    expect(laneAt(lane("car"), 99_999)).toBeNull();
  });

  it("leave the rest of the house what no part took, never less than nothing", () =>
    expect(drawn(lane("rest").measured)).toEqual([
      [0, 900, 2.5],
      [900, 1800, 0.5],
    ]));

  it("show the limits of the plan and of a running event", () => {
    expect(drawn(lane("grid").limit)).toEqual([[2700, 3600, 2]]);
    const events = [event("a", { starts_at: 600, ends_at: 2000 })];
    const held = { ...sources, home: home(devices, { limit_import_w: 1500, events }) };
    expect(drawn(lane("grid", held).limit)).toEqual([
      [600, 2000, 1.5],
      [2700, 3600, 2],
    ]);
  });

  it("reach as high as their highest figure, and hold zero", () => {
    expect(lane("grid")).toMatchObject({ low: -2, high: 7.2 });
    expect(lane("car", { ...sources, day: null, plan: null })).toMatchObject({ low: 0, high: 0.5 });
  });

  it("leave out a limit that nothing comes near", () => {
    const far = plan(6, { ...planned, limit_import_w: Array.from({ length: 6 }, () => 14_500) });
    expect(lane("grid", { ...sources, plan: far })).toMatchObject({ limit: [], high: 7.2 });
  });

  it("call a price dear by all that are known, not by those shown alone", () => {
    const later = plan(8, { import_per_kwh: [0.2, 0.2, 0.35, 0.35, 0.35, 0.35, 0.35, 0.5] });
    const price = lane("price", { ...sources, plan: later });
    expect(price.high).toBe(0.35);
    expect([0.2, 0.35, 0.5].map((p) => priceClass(price, p))).toEqual(["cheap", "middle", "dear"]);
  });

  it("take what a kWh has cost from the accounts", () => {
    const quarter = { start: 0, end: 900, import_wh: 500, cost: 0.2 } as AccountAnswer;
    const idle = { ...quarter, start: 100, end: 200, import_wh: 0, cost: 0 };
    const price = lane("price", { ...sources, accounts: [quarter, idle] });
    expect(drawn(price.measured).slice(0, 3)).toEqual([
      [0, 900, 0.4],
      [900, 1800, 0.3],
      [1800, 2700, 0.1],
    ]);
    expect([0.4, 0.25, 0.1].map((p) => priceClass(price, p))).toEqual(["dear", "middle", "cheap"]);
  });
});

describe("the window", () => {
  it("rolls by whole minutes", () =>
    expect(rolling(100_030)).toEqual({ start: 56_820, end: 143_220, now: 100_020 }));

  it("has its hours where the home's clock has them, over the change of clocks too", () => {
    const start = Date.UTC(2026, 9, 24, 22) / 1000; // midnight in Berlin, 25 hours long
    const hours = ticks({ start, end: start + 25 * 3600, now: 0 }, "Europe/Berlin", 6);
    expect(hours.map((t) => (t - start) / 3600)).toEqual([0, 7, 13, 19]);
    const kolkata = ticks({ start, end: start + 24 * 3600, now: 0 }, "Asia/Kolkata", 12);
    expect(kolkata.map((t) => (t - start) / 3600)).toEqual([8.5, 20.5]);
  });

  it("holds the events that were or will be carried out", () => {
    const events = [
      event("a", { starts_at: -500, ends_at: 600 }),
      event("b", { starts_at: 3000, ends_at: null, opted_out: true }),
      event("c", { starts_at: 0, ends_at: 900, state: "cancelled" }),
      event("d", { starts_at: 9000, ends_at: 9900, state: "coming" }),
    ];
    expect(bands(events, FRAME).map((b) => [b.event.id, b.from, b.to])).toEqual([
      ["a", 0, 600],
      ["b", 3000, 3600],
    ]);
  });
});

describe("the paper", () => {
  const paper = { start: 0, end: 3600, width: 360, height: 23 };
  const spans = [
    { from: 0, to: 900, value: 1 },
    { from: 900, to: 1800, value: 2 },
    { from: 1800, to: 2700, value: null },
    { from: 2700, to: 3600, value: 0 },
  ];
  it("is stepped, and broken where nothing is known", () => {
    expect(line(spans, { low: 0, high: 2 }, paper)).toBe("M0 13H90L90 3H180M270 23H360");
    const car = { ...lane("car"), low: 0, high: 2 };
    expect(area(spans, car, paper)).toBe("M0 23V13H90V3H180V23ZM270 23V23H360V23Z");
  });
  it("finds its instants again", () => {
    expect(xOf(paper, 1800)).toBe(180);
    expect(atX(paper, 181, 300)).toBe(1800);
    expect(atX(paper, -50, 300)).toBe(0);
    expect(atX(paper, 999, 300)).toBe(3300);
  });
});

describe("what is said of an instant", () => {
  const events = [event("a", { starts_at: 0, ends_at: 3000, opted_out: true })];
  const shown = {
    lanes: lanes(sources, FRAME),
    bands: bands(events, FRAME),
    home: sources.home,
    plan: planned,
  };
  it("is the figures, the events and the plan's reasons", () => {
    const found = said(say, 1900, "EUR", shown);
    expect(found.planned).toBe(true);
    expect(found.values.map((v) => plain(v.words))).toEqual([
      "Price \u20ac0.10 (cheap)",
      "Sun 200 W",
      "Grid takes 7.2 kW",
      "Car 7.0 kW",
      "Rest of house 400 W",
    ]);
    expect(found.reasons.map(plain)).toEqual([
      "Peak Saver: Import at most 1.5 kW (you opted out)",
      "Wallbox charges with 7.0 kW: It is cheap",
    ]);
  });
  it("is nothing where nothing is known", () =>
    expect(said(say, 1e9, "EUR", shown)).toEqual({ planned: false, values: [], reasons: [] }));
});
