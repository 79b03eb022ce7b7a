import { describe, expect, it } from "vitest";
import type { DeviceAnswer, PriceAnswer } from "../src/api/types";
import * as words from "../src/logic/words";
import { device, event, home } from "./home";
import { plain, say } from "./say";

describe("net power", () => {
  it.each([
    [1410, "taking"],
    [-900, "giving"],
    [-19, "still"],
    [null, "unknown"],
  ] as const)("%s W is %s", (watts, direction) => expect(words.direction(watts)).toBe(direction));
});

describe("what a device does", () => {
  const rows: [string, Partial<DeviceAnswer>, string][] = [
    ["pv", { power_w: -3000 }, "producing"],
    ["pv", { power_w: 3 }, "not producing"],
    ["battery", { power_w: 800 }, "charging"],
    ["battery", { power_w: -800 }, "giving to the home"],
    ["battery", { power_w: 0 }, "resting"],
    ["evse", { connected: false }, "not plugged in"],
    ["evse", { power_w: 2760 }, "charging"],
    ["evse", { wants_power: true }, "plugged in, waiting to charge"],
    ["evse", { wants_power: false }, "plugged in, nothing to charge"],
    ["heat_pump", { power_w: 1300 }, "running"],
    ["water_heater", { power_w: 2000 }, "heating"],
    ["water_heater", { wants_power: true }, "waiting for its turn"],
    ["water_heater", {}, "resting"],
    ["tie", { power_w: 1500, connected: true }, "connected to the grid"],
    ["tie", { connected: false }, "parted from the grid"],
    ["tie", { connected: null }, "not known"],
    ["sauna", { power_w: 6000 }, "running"],
    ["battery", { power_w: null }, "no reading yet"],
    ["battery", { power_w: -800, quality: "lost" }, "Last: giving to the home"],
    ["water_heater", { power_w: 2000, quality: "stale" }, "Last: heating"],
    ["pv", { power_w: -3000, quality: "asleep" }, "producing"],
  ];
  it.each(rows)("%s %o is %s", (kind, rest, text) =>
    expect(words.stateWords(say, device("d", kind, rest))).toBe(text),
  );
});

describe("a device that is out of touch", () => {
  const rows: [Partial<DeviceAnswer>, string][] = [
    [{ quality: "lost", age_s: 90 }, "No usable answer. The hub keeps asking and manages without it."],
    [{ quality: "lost", age_s: null }, "It has not answered yet. The hub keeps asking and manages without it."],
    [{ quality: "stale" }, "Its last value is old. The hub keeps asking."],
    [{ quality: "asleep" }, ""],
    [{ error: "It complains." }, ""],
  ];
  it.each(rows)("%o: %s", (rest, text) =>
    expect(words.silentWords(say, device("d", "battery", rest))).toBe(text),
  );
  it.each([
    [{ power_w: 1400 }, "taking"],
    [{ power_w: -1400 }, "giving"],
    [{ power_w: 3 }, "in balance"],
    [{ power_w: null }, "not known"],
    [{ power_w: 1400, quality: "lost" }, "Last: taking"],
  ] as [Partial<DeviceAnswer>, string][])("a meter of %o is %s", (rest, text) =>
    expect(words.meterWords(say, device("m", "meter", rest))).toBe(text),
  );
});

describe("the age of a figure", () => {
  it("is not told while the figure is good", () =>
    expect(words.ageWords(say, device("d", "pv", { age_s: 3 }), 10)).toBe(""));
  it("goes on growing while no snapshot comes", () => {
    const stale = device("d", "pv", { quality: "stale", age_s: 42 });
    expect(words.ageWords(say, stale, 10).replace("\u00a0", " ")).toBe("Last answer 52 s ago");
  });
  it("is unknown for a device that never answered", () =>
    expect(words.ageWords(say, device("d", "pv", { quality: "lost", age_s: null }), 0)).toBe(
      "No answer yet",
    ));
});

describe("a value that is older than its device's reading", () => {
  const old = device("d", "battery", { soc: 0.5, age_s: 1, ages: { soc: 42, power_w: 61 } });
  it("says how old it is", () => {
    expect(plain(words.storeWords(say, old, 3))).toBe("50 % full (45 s ago)");
    expect(plain(words.ageWords(say, old, 0))).toBe("Power as of 1 min ago");
  });
  it("is not told apart while it is but seconds old", () =>
    expect(plain(words.storeWords(say, device("d", "pv", { temp_c: 21, ages: { temp_c: 4 } })))).toBe(
      "21.0 \u00b0C",
    ));
  it("is told of a device that sleeps", () =>
    expect(plain(words.ageWords(say, device("d", "plug", { quality: "asleep", age_s: 42 }), 0))).toBe(
      "Asleep, last heard 42 s ago",
    ));
});

it("values that cannot be are named", () => {
  expect(words.suspectWords(say, device("d", "pv"))).toBe("");
  expect(words.suspectWords(say, device("d", "pv", { suspect: ["soc", "temp_c"] }))).toBe(
    "Not believed: charge, temperature",
  );
});

it("what becomes of a device without the hub is told with its risk", () => {
  expect(words.safeWords(say, device("d", "pv"))).toBe("");
  expect(words.safeWords(say, device("d", "pv", { safe: "runs by itself", risk: "a power cut" }))).toBe(
    "Without the hub: runs by itself. Risk: a power cut.",
  );
});

describe("what is announced", () => {
  it("is what runs and comes, not what is over", () => {
    const events = [
      event("a"),
      event("b", { state: "coming", title: "Reduce by 1 kW" }),
      event("c", { state: "completed" }),
    ];
    expect(words.announcement(say, home([], { events }))).toBe(
      "Peak Saver asks now: Import at most 1.5 kW. Peak Saver will ask: Reduce by 1 kW.",
    );
  });
  it("changes when the owner leaves", () =>
    expect(words.announcement(say, home([], { events: [event("a", { opted_out: true })] }))).toContain(
      "You opted out",
    ));
});

it("an event that is over says how it went", () => {
  expect(words.outcomeWords(say, event("a", { state: "superseded" }))).toBe("Replaced by another");
  expect(words.outcomeWords(say, event("a", { state: "completed", opted_out: true }))).toBe(
    "Done, you had opted out",
  );
});

describe("a price", () => {
  const now = Date.UTC(2026, 5, 17, 12, 20) / 1000; // 14:20 in Berlin
  const price = { tariff: "Flex", currency: "EUR", per_kwh: 0.312, until: now + 2400 };
  const said = (rest: Partial<PriceAnswer>): string =>
    words.priceWords(say, { ...price, next_per_kwh: 0.28, ...rest }, now, "Europe/Berlin");
  it.each([
    [{}, "costs \u20ac0.312 a kWh until 15:00, then \u20ac0.28."],
    [{ next_per_kwh: null }, "costs \u20ac0.312 a kWh until 15:00."],
    [{ until: null, per_kwh: -0.05 }, "costs -\u20ac0.05 a kWh."],
    [{ currency: "" }, "costs 0.312 a kWh until 15:00, then 0.28."],
  ])("%o", (rest, text) => expect(said(rest)).toBe(`Energy from the grid ${text}`));
});
