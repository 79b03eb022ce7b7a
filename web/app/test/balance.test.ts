import { describe, expect, it } from "vitest";
import { balance, restIsCurrent, restOfHouseW } from "../src/logic/balance";
import { device, home } from "./home";

const house = [
  device("meter", "meter", { power_w: 1410 }),
  device("pv", "pv", { power_w: -3180 }),
  device("battery", "battery", { power_w: -1250 }),
  device("car", "evse", { power_w: 2760 }),
];
const sum = (shares: { power_w: number }[]): number => shares.reduce((n, s) => n + s.power_w, 0);

describe("the rest of the house", () => {
  it("is the meter less all devices", () => expect(restOfHouseW(home(house))).toBe(3080));

  it("is not below zero when readings a moment apart say so", () => {
    const late = [device("meter", "meter", { power_w: 100 }), device("car", "evse", { power_w: 150 })];
    expect(restOfHouseW(home(late))).toBe(0);
  });

  it("does not count what a circuit's own meter shows a second time", () => {
    const circuit = device("kitchen", "submeter", { power_w: 900 });
    expect(restOfHouseW(home([...house, circuit]))).toBe(3080);
  });

  it("does not count what flows through the tie a second time", () => {
    const tied = home([...house, device("tie", "tie", { power_w: 2000, connected: true })]);
    expect(restOfHouseW(tied)).toBe(3080);
    expect([...balance(tied).to, ...balance(tied).from].map((s) => s.id)).not.toContain("tie");
  });

  it("is unknown while a device is lost, whatever it did last", () => {
    const lost = house.map((d) => (d.id === "battery" ? { ...d, quality: "lost" } : d));
    expect(restOfHouseW(home(lost))).toBeNull();
    expect(balance(home(lost)).from.map((s) => s.id)).not.toContain("battery");
  });

  it("is unknown while a device has never answered", () => {
    const silent = [...house, device("water", "water_heater", { power_w: null })];
    expect(restOfHouseW(home(silent))).toBeNull();
  });

  it("is an estimate once a figure is old, and uses the meter's last one", () => {
    const old = home(house, { net_w: null });
    expect(restOfHouseW(old)).toBe(3080);
    expect(restIsCurrent(old)).toBe(false);
    expect(restIsCurrent(home(house))).toBe(true);
  });
});

describe("the balance", () => {
  it("has as much on one side as on the other", () => {
    const { from, to } = balance(home(house));
    expect(from.map((s) => s.id)).toEqual(["grid", "pv", "battery"]);
    expect(to.map((s) => s.id)).toEqual(["car", "rest"]);
    expect(sum(from)).toBe(sum(to));
  });

  it("counts power given to the grid as a use", () => {
    const giving = [device("meter", "meter", { power_w: -2000 }), device("pv", "pv", { power_w: -2500 })];
    const { from, to } = balance(home(giving));
    expect(from.map((s) => s.id)).toEqual(["pv"]);
    expect(to.map((s) => [s.id, s.power_w])).toEqual([
      ["grid", 2000],
      ["rest", 500],
    ]);
  });

  it("says what is not known", () => {
    const silent = [...house, device("water", "water_heater", { power_w: null })];
    const { from, to } = balance(home(silent));
    expect(to.at(-1)).toMatchObject({ id: "unknown", power_w: 3080, current: false });
    expect(sum(from)).toBe(sum(to));
  });

  it("leaves flicker out", () =>
    expect(balance(home([device("meter", "meter", { power_w: 5 })]))).toEqual({
      from: [],
      to: [],
      total_w: 0,
    }));
});
