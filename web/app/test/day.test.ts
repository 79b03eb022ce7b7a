import { describe, expect, it } from "vitest";
import type { HistoryAnswer } from "../src/api/types";
import { dayLines, dayTotals, limitSpan, linesOf } from "../src/logic/day";
import { live, over, progress, remaining } from "../src/logic/events";
import { device, event, home } from "./home";

const devices = [
  device("meter", "meter"),
  device("east", "pv"),
  device("west", "pv"),
  device("heat", "heat_pump"),
];
const at = [0, 1800, 3600];
const none = [null, null, null];
const day: HistoryAnswer = {
  start: 0,
  end: 86_400,
  step_s: 1800,
  day: "1970-01-01",
  today: "1970-01-01",
  time_zone: "",
  series: [
    { device: "meter", at, power_w: [1000, -2000, null], soc: none },
    { device: "east", at, power_w: [-1000, -3000, null], soc: none },
    { device: "west", at, power_w: [-500, null, null], soc: none },
  ],
};

describe("a day's lines", () => {
  it("add devices of one kind and turn solar upwards", () => {
    const { kilowatts } = dayLines(day, devices, null);
    expect(kilowatts.grid).toEqual([1, -2, null]);
    expect(kilowatts.solar).toEqual([1.5, 3, null]);
  });

  it("end with the present instant, without figures that are old", () => {
    const now = home([
      device("meter", "meter", { power_w: 700 }),
      device("east", "pv", { power_w: -900, quality: "stale" }),
    ], { at: 4000 });
    const { at: instants, kilowatts } = dayLines(day, now.devices, now);
    expect(instants).toEqual([0, 1800, 3600, 4000]);
    expect(kilowatts.grid.at(-1)).toBe(0.7);
    expect(kilowatts.solar.at(-1)).toBeNull();
  });

  it("are those that the home has", () => expect(linesOf(devices)).toEqual(["grid", "solar"]));
});

it("a day's totals are mean powers times the time", () =>
  expect(dayTotals(day, devices)).toEqual({
    taken_wh: 500,
    given_wh: 1000,
    solar_wh: 2250,
    car_wh: 0,
  }));

describe("the limit", () => {
  it("spans the running events", () => {
    const events = [event("a"), event("b", { starts_at: 1200, ends_at: null })];
    expect(limitSpan(home([], { limit_import_w: 1500, events }), 86_400)).toEqual({
      from: 1000,
      to: 86_400,
      kilowatts: 1.5,
    });
  });
  it("is gone for an owner who left", () => {
    const events = [event("a", { opted_out: true })];
    expect(limitSpan(home([], { limit_import_w: 1500, events }), 86_400)).toBeNull();
  });
});

describe("events", () => {
  const events = [
    event("done", { state: "completed", ends_at: 500 }),
    event("later", { state: "coming", starts_at: 9000 }),
    event("soon", { state: "coming", starts_at: 5000 }),
    event("now"),
    event("older", { state: "cancelled", ends_at: 100 }),
  ];
  it("are ordered: running, coming, then what is over", () => {
    expect(live(events).map((e) => e.id)).toEqual(["now", "soon", "later"]);
    expect(over(events, 1).map((e) => e.id)).toEqual(["done"]);
  });
  it("count down to their begin, then to their end", () => {
    expect(remaining(event("a", { state: "coming", starts_at: 1600 }), 1500)).toEqual({
      label: "begins in",
      time: "1:40",
    });
    expect(remaining(event("a"), 1500)?.label).toBe("ends in");
    expect(remaining(event("a", { ends_at: null }), 1500)).toBeNull();
  });
  it("have passed in part", () => {
    expect(progress(event("a"), 1250)).toBe(0.25);
    expect(progress(event("a"), 9999)).toBe(1);
    expect(progress(event("a", { state: "coming" }), 1250)).toBeNull();
  });
});
