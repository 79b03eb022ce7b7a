import { describe, expect, it } from "vitest";
import { bars, line, scale, type Plane } from "../src/logic/chart";
import { count, short, wattHours, watts } from "../src/logic/measures";
import { needsReason, waysOf } from "../src/logic/states";
import { plain } from "./words";

const PLANE: Plane = { from: 0, to: 100, low: -50, high: 150, width: 200, height: 100 };

describe("a chart", () => {
  it.each([
    [[], [0, 0.5]],
    [[100], [0, 50, 100]],
    [[236_000, 211_000], [0, 100_000, 200_000, 300_000]],
    [[-30, 80, null], [-50, 0, 50, 100]],
  ])("has round lines for %j", (values, expected) => {
    expect(scale(values)).toEqual(expected);
  });

  it("draws steps, and nothing where nothing is known", () => {
    const steps = [
      { start: 0, duration_s: 10, value: 100 },
      { start: 10, duration_s: 10, value: 50 },
      { start: 20, duration_s: 10, value: null },
      { start: 30, duration_s: 10, value: 0 },
    ];
    expect(line(steps, PLANE)).toBe("M0 25H20L20 50H40M60 75H80");
    expect(bars(steps, PLANE)).toHaveLength(3);
    expect(bars(steps, PLANE)[0]).toEqual({ x: 0, y: 25, width: 19, height: 50 });
  });

  it("hangs what is below zero from zero", () => {
    expect(bars([{ start: 0, duration_s: 50, value: -50 }], PLANE)[0]).toMatchObject({ y: 75, height: 25 });
  });
});

describe("figures", () => {
  it("have the unit that fits", () => {
    const told = [0, 4, 640, 999.6, 1400, 12_500, 999_600, 3.2e9, -2000, null, NaN].map((w) => plain(watts(w)));
    expect(told).toEqual(["0 W", "4 W", "640 W", "1 kW", "1.4 kW", "12.5 kW", "1 MW", "3.2 GW", "\u22122 kW", "\u2013", "\u2013"]);
    expect(plain(wattHours(1350))).toBe("1.35 kWh");
    expect(count(12_400)).toBe("12,400");
    expect(short("AB".repeat(20))).toBe("ABABABAB\u2026ABAB");
    expect(short("tx-17")).toBe("tx-17");
  });
});

describe("a hub's ways", () => {
  it("are those of its life", () => {
    expect(waysOf({ state: "operating", before: null })).toEqual(["commissioned", "quarantined", "retired"]);
    expect(waysOf({ state: "quarantined", before: "operating" })).toEqual(["operating", "enrolled", "retired"]);
    expect(waysOf({ state: "quarantined", before: "made" })).toEqual(["made", "retired"]);
    expect(waysOf({ state: "retired", before: null })).toEqual([]);
  });

  it("ask for a reason where the server does", () => {
    expect(needsReason("operating", "commissioned")).toBe(true);
    expect(needsReason("enrolled", "commissioned")).toBe(false);
    expect(needsReason("quarantined", "operating")).toBe(true);
  });
});
