import { describe, expect, it } from "vitest";
import {
  ESSENTIALITIES,
  essentialityName,
  health,
  modeWords,
  mostW,
  nextClock,
  overrides,
  signedW,
  typedW,
  wishWords,
} from "../src/logic/devices";
import { clockTime } from "../src/logic/format";
import { device } from "./home";

const say = (key: string, named: Record<string, unknown> = {}): string =>
  [key, ...Object.values(named)].join(" ");
const BATTERY = device("b", "battery", { control: "target", min_w: -5000, max_w: 4000 });
const CAR = device("c", "evse", { control: "ceiling", max_w: 7400 });
const ROOF = device("p", "pv", { control: "floor", min_w: -6000 });
const TANK = device("t", "water_heater", { control: "switch", max_w: 2000 });

describe("what the owner may have a device do", () => {
  it.each([
    ["a battery", BATTERY, ["hold 0", "charge 4000", "discharge -5000"]],
    ["a charger", CAR, ["chargeNow 7400", "pause 0", "atMost null"]],
    ["a roof", ROOF, ["giveAtMost null", "giveNothing 0"]],
    ["a tank", TANK, ["on 2000", "off 0"]],
    ["a meter", device("m", "meter", { control: "none" }), []],
    ["a tenant's", { ...CAR, owned: false }, []],
    ["one that only charges", { ...BATTERY, min_w: 0 }, ["hold 0", "charge 4000"]],
  ])("%s", (_, shown, found) => {
    expect(overrides(shown).map((each) => `${each.name} ${each.powerW}`)).toEqual(found);
  });

  it("is a size without a sign where somebody types it", () => {
    expect([mostW(ROOF), mostW(CAR)]).toEqual([6000, 7400]);
    expect([signedW(ROOF, 2500), signedW(CAR, 2500)]).toEqual([-2500, 2500]);
    expect(Object.is(signedW(ROOF, 0), 0)).toBe(true);
    expect([typedW(""), typedW(Number.NaN), typedW(1.5)]).toEqual([null, null, 1500]);
  });
});

describe("what is said of a device", () => {
  const NOON = Date.UTC(2026, 5, 17, 12) / 1000;
  it("names the owner's wish before all else", () => {
    const wished = { ...BATTERY, wish_w: 4000, wish_until: NOON + 3600 };
    expect(wishWords(say, wished, NOON, "UTC")).toContain("devices.wished.charge 13:00");
    expect(modeWords(say, wished, NOON, "UTC")).toContain("devices.wished.charge");
    const held = { ...ROOF, wish_w: -2500, wish_until: NOON + 3600 };
    expect(wishWords(say, held, NOON, "UTC")).toContain("devices.wished.giveAtMost");
    expect(wishWords(say, BATTERY, NOON, "UTC")).toBe("");
  });
  it.each([
    [{ ...BATTERY, setpoint_w: 100 }, "devices.mode.hub"],
    [{ ...BATTERY, setpoint_w: null }, "devices.mode.itself"],
    [{ ...BATTERY, owned: false }, "devices.mode.notYours"],
    [{ ...BATTERY, setpoint_w: 100, quality: "lost" }, "devices.mode.alone"],
    [device("m", "meter", { control: "none" }), "devices.mode.measures"],
  ])("says who decides", (shown, words) => {
    expect(modeWords(say, shown, NOON, "UTC")).toBe(words);
  });
  it.each([
    [{}, "good"],
    [{ quality: "lost", age_s: 90 }, "lost"],
    [{ quality: "lost", age_s: null }, "never"],
    [{ quality: "stale" }, "stale"],
    [{ quality: "asleep" }, "asleep"],
    [{ suspect: ["soc"] }, "suspect"],
    [{ error: "hot" }, "trouble"],
  ])("tells how it is", (more, how) => {
    expect(health(device("c", "evse", more))).toBe(how);
  });
  it("has a word for each essentiality, and each word keeps its own", () => {
    expect([0, 1, 2, 3, 4, 6, 7, 8, 9].map(essentialityName)).toEqual([
      ...["first", "first", "early", "early", "normal", "normal", "late", "late", "never"],
    ]);
    for (const { name, value } of ESSENTIALITIES) expect(essentialityName(value)).toBe(name);
  });
});

describe("the next time that the clock shows", () => {
  const ZONE = "Europe/Berlin";
  it.each([
    [Date.UTC(2026, 5, 17, 12, 20, 31), "15:00"],
    [Date.UTC(2026, 5, 17, 12, 20, 31), "07:00"],
    [Date.UTC(2026, 2, 28, 22, 0, 0), "07:00"], // over the night in which an hour is skipped
    [Date.UTC(2026, 9, 24, 22, 0, 0), "07:00"], // over the one in which an hour comes twice
    [Date.UTC(2026, 5, 17, 12, 20, 0), "14:20"], // this very minute: tomorrow's
  ])("from %d", (ms, time) => {
    const now = ms / 1000;
    const found = nextClock(time, now, ZONE);
    expect(clockTime(found, ZONE)).toBe(time);
    expect(found).toBeGreaterThan(now);
    expect(found - now).toBeLessThanOrEqual(25 * 3600);
  });
});
