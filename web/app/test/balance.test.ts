import { describe, expect, it } from "vitest";
import { flows, houseW, restIsCurrent, restOfHouseW, type Flow, type Part } from "../src/logic/balance";
import { device, home } from "./home";

const house = [
  device("meter", "meter", { power_w: 1410 }),
  device("pv", "pv", { power_w: -3180 }),
  device("battery", "battery", { power_w: -1250 }),
  device("car", "evse", { power_w: 2760 }),
];

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
    expect(flows(tied).find((f) => f.part === "rest")?.power_w).toBe(3080);
  });

  it("is unknown while a device is lost, whatever it did last", () => {
    const lost = house.map((d) => (d.id === "battery" ? { ...d, quality: "lost" } : d));
    expect(restOfHouseW(home(lost))).toBeNull();
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

describe("the flows", () => {
  const at = (found: Flow[], part: Part): Flow | undefined => found.find((f) => f.part === part);

  it("go into the house and out of it, as much as out", () => {
    const found = flows(home(house));
    expect(found.map((f) => [f.part, f.way])).toEqual([
      ["solar", "in"],
      ["grid", "in"],
      ["battery", "in"],
      ["car", "out"],
      ["rest", "out"],
    ]);
    const sizes = (way: string): number =>
      found.filter((f) => f.way === way).reduce((n, f) => n + Math.abs(f.power_w ?? 0), 0);
    expect(sizes("in")).toBe(sizes("out"));
    expect(houseW(found)).toBe(5840);
  });

  it("turn where power is given to the grid and the battery charges", () => {
    const sunny = [
      device("meter", "meter", { power_w: -2000 }),
      device("pv", "pv", { power_w: -4500 }),
      device("battery", "battery", { power_w: 1000, soc: 0.4 }),
    ];
    const found = flows(home(sunny));
    expect(at(found, "grid")).toMatchObject({ way: "out", power_w: -2000 });
    expect(at(found, "battery")).toMatchObject({ way: "out", soc: 0.4 });
    expect(at(found, "rest")).toMatchObject({ way: "out", power_w: 1500 });
  });

  it("add up the devices of one part; what has no part of its own is the rest", () => {
    const warm = [
      device("meter", "meter", { power_w: 5000 }),
      device("heat", "heat_pump", { power_w: 1500 }),
      device("water", "water_heater", { power_w: 2000 }),
      device("sauna", "plug", { power_w: 900 }),
    ];
    const found = flows(home(warm));
    expect(at(found, "heat")?.power_w).toBe(3500);
    expect(at(found, "rest")?.power_w).toBe(1500);
    expect(at(found, "solar")).toBeUndefined();
  });

  it("keep an old figure, and say how old the oldest is", () => {
    const old = house.map((d) =>
      d.id === "car" ? { ...d, quality: "stale", age_s: 42 } : { ...d, age_s: 1 },
    );
    const found = flows(home(old));
    expect(at(found, "car")).toMatchObject({ power_w: 2760, current: false, age_s: 42 });
    expect(at(found, "rest")).toMatchObject({ current: false, age_s: 42 });
    expect(at(found, "solar")).toMatchObject({ current: true });
  });

  it("say what is not known", () => {
    const silent = house.map((d) =>
      d.id === "car" ? { ...d, quality: "lost", power_w: null, age_s: null } : d,
    );
    const found = flows(home(silent));
    expect(at(found, "car")).toMatchObject({ way: "unknown", power_w: null, age_s: null });
    expect(at(found, "rest")).toMatchObject({ way: "unknown", power_w: null });
    expect(houseW(found)).toBeNull();
  });

  it("take flicker for stillness", () =>
    expect(at(flows(home([device("meter", "meter", { power_w: 5 })])), "grid")?.way).toBe("still"));
});
