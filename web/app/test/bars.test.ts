import { beforeAll, describe, expect, it } from "vitest";
import type { DeviceEnergyAnswer, EnergyTableAnswer } from "../src/api/types";
import { labels, layers, localStart, measuredShare, pieces, scale, together } from "../src/logic/bars";
import { setFormatLanguage } from "../src/logic/format";

beforeAll(() => setFormatLanguage("en"));

const NONE = { taken_kwh: null, given_kwh: null, sun_kwh: null, own_kwh: null, used_kwh: null };

function device(id: string, kind: string, taken: (number | null)[], given: (number | null)[]): DeviceEnergyAnswer {
  return {
    id,
    name: id,
    kind,
    taken_kwh: taken,
    given_kwh: given,
    mean_w: taken.map((t, i) => (t === null ? null : (t - (given[i] ?? 0)) * 1000)),
    low_w: given.map((g) => (g === null ? null : -1000 * g)),
    high_w: taken.map((t) => (t === null ? null : 1000 * t)),
    soc_low: taken.map(() => (kind === "battery" ? 0.2 : null)),
    soc_high: taken.map(() => (kind === "battery" ? 0.8 : null)),
    measured: taken.map((t) => (t === null ? 0 : 1)),
  };
}

const TABLE: EnergyTableAnswer = {
  starts: [0, 3600, 7200],
  ends: [3600, 7200, 10_800],
  devices: [
    device("meter", "meter", [2, 0, null], [0, 3, null]),
    device("pv", "pv", [0, 0, null], [0, 5, null]),
    device("battery", "battery", [0, 1, null], [0.5, 0, null]),
    device("car", "evse", [1.5, 0, null], [0, 0, null]),
    device("gone", "", [9, 9, null], [0, 0, null]),
  ],
  totals: [{ ...NONE, used_kwh: 2.5 }, { ...NONE, used_kwh: 1 }, NONE],
  whole: NONE,
};

describe("layers", () => {
  it("tells where energy came from and went to", () => {
    const found = Object.fromEntries(layers(TABLE, "source").map((l) => [l.name, l.values]));
    expect(found).toEqual({
      sun: [0, 5, null],
      fromBattery: [0.5, 0, null],
      taken: [2, 0, null],
      given: [0, 3, null],
      intoBattery: [0, 1, null],
    });
  });

  it("tells what used it; the rest is what no device says", () => {
    const found = Object.fromEntries(layers(TABLE, "use").map((l) => [l.name, l.values]));
    expect(found).toEqual({ evse: [1.5, 0, null], rest: [1, 1, null] });
  });
});

it("stacks outwards from the line", () => {
  const all = layers(TABLE, "source");
  expect(pieces(all, 0).map(({ from, to }) => [from, to])).toEqual([
    [0, 0.5],
    [0.5, 2.5],
  ]);
  expect(pieces(all, 1).map(({ from, to }) => [from, to])).toEqual([
    [0, 5],
    [0, -3],
    [-3, -4],
  ]);
  expect(pieces(all, 2)).toEqual([]);
});

it("has a scale that holds all bars and zero", () => {
  expect(scale([layers(TABLE, "source")], 3)).toEqual([-4, -2, 0, 2, 4, 6]);
  expect(scale([[]], 3)[0]).toBe(0);
  for (const most of [0.003, 0.9, 7, 42, 999, 12_345]) {
    const lines = scale([[{ name: "sun", colour: "", below: false, values: [most] }]], 1);
    expect(lines.at(-1)).toBeGreaterThanOrEqual(most);
    expect(lines.length).toBeLessThan(9);
  }
});

it("adds a device up, weighing its mean by what was measured", () => {
  const battery = TABLE.devices[2];
  expect(battery && together(battery, TABLE)).toEqual({
    taken: 1,
    given: 0.5,
    mean: 250,
    low: -500,
    high: 1000,
    socLow: 0.2,
    socHigh: 0.8,
  });
  const nothing = device("x", "plug", [null, null, null], [null, null, null]);
  expect(together(nothing, TABLE)).toMatchObject({ taken: null, mean: null, low: null });
});

it("counts of the meter what has gone", () => {
  expect(measuredShare(TABLE, 20_000)).toBeCloseTo(2 / 3);
  expect(measuredShare(TABLE, 7200)).toBe(1);
  expect(measuredShare(TABLE, -5)).toBe(1);
});

it("says of an hour that is shown twice which it is", () => {
  const start = Date.parse("2026-10-25T00:00:00+02:00") / 1000;
  const hours = Array.from({ length: 25 }, (_, i) => start + i * 3600);
  const found = labels(hours, "day", "Europe/Berlin");
  expect(found.slice(1, 5)).toEqual(["01:00", "02:00 GMT+2", "02:00 GMT+1", "03:00"]);
  expect(new Set(found).size).toBe(25);
  expect(localStart(start, "Europe/Berlin")).toBe("2026-10-25T00:00");
});
