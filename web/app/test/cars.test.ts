import { describe, expect, it } from "vitest";
import type { CarAnswer, PlanAnswer } from "../src/api/types";
import { chargingCost, energyTo, neededWh, readiness, stepsAhead } from "../src/logic/cars";

const T = 1_781_698_800;
const CAR: CarAnswer = {
  device: "car",
  mode: "cheapest",
  ready_at: T + 3600,
  energy_wh: 4000,
  taken_wh: 1000,
  usual_wh: 9000,
  ordered: false,
  until: null,
  plugged: true,
  habit_mode: "cheapest",
  habit_ready: "07:00",
  habit_days: [0],
  habit_wh: null,
  habit_told: false,
  leaves_at: null,
};

/** A plan of quarter-hours from `T` on, in which the car draws these powers. */
function plan(power_w: number[], made_at = T, net_w = power_w): PlanAnswer {
  const step = { starts_at: T, ends_at: T + 900, power_w: 4000, use: "", reason: "Cheap" };
  return {
    made_at,
    start: T,
    step_s: 900,
    import_per_kwh: power_w.map(() => 0.4),
    export_per_kwh: power_w.map(() => 0.1),
    net_w,
    currency: "EUR",
    devices: { car: { power_w, level: [], steps: [step] } },
  } as unknown as PlanAnswer;
}

describe("whether a car will be ready", () => {
  it.each([
    ["what it has and gets is enough", CAR, plan([4000, 4000, 4000, 0]), 4000, true],
    ["a little less is what slots leave", CAR, plan([4000, 4000, 3200, 0]), 3800, true],
    ["too little", CAR, plan([4000, 4000, 0, 0]), 3000, false],
    ["what comes after the time is too late", CAR, plan([0, 0, 0, 0, 8000]), 1000, false],
    ["as usual where nothing is asked", { ...CAR, energy_wh: null }, plan([4000]), 2000, false],
  ])("%s", (_, car, made, has, ready) => {
    const found = readiness(car, made, T);
    expect(found?.hasWh).toBeCloseTo(has);
    expect(found?.ready).toBe(ready);
  });

  it("is not said where there is nothing to say", () => {
    expect(readiness(CAR, null, T)).toBeNull();
    expect(readiness({ ...CAR, ready_at: null }, plan([4000]), T)).toBeNull();
    expect(readiness({ ...CAR, plugged: false }, plan([4000]), T)).toBeNull();
    expect(readiness({ ...CAR, energy_wh: null, usual_wh: null }, plan([4000]), T)).toBeNull();
    expect(neededWh({ ...CAR, energy_wh: null })).toBe(9000);
  });
});

describe("what charging costs", () => {
  it("is the grid's price for the grid's part, and the feed-in for the home's own", () => {
    const cost = chargingCost(CAR, plan([4000], T, [1000]), T);
    expect(cost?.energyWh).toBeCloseTo(1000);
    expect(cost?.amount).toBeCloseTo(0.25 * 0.4 + 0.75 * 0.1);
  });

  it("counts what is still to come of the slot at hand", () => {
    expect(chargingCost(CAR, plan([4000]), T + 450)?.energyWh).toBeCloseTo(500);
    // made in the middle of its first slot: all of that slot's energy comes in the rest of it
    expect(chargingCost(CAR, plan([4000], T + 450), T + 450)?.energyWh).toBeCloseTo(1000);
    expect(chargingCost(CAR, plan([4000], T + 450), T + 675)?.energyWh).toBeCloseTo(500);
    expect(chargingCost(CAR, plan([4000]), T + 900)).toBeNull();
  });

  it("is not known without a plan of the car", () => {
    expect(chargingCost(CAR, null, T)).toBeNull();
    expect(chargingCost({ ...CAR, device: "other" }, plan([4000]), T)).toBeNull();
  });
});

it("shows the steps that are not over", () => {
  expect(stepsAhead(CAR, plan([4000]), T + 100)).toHaveLength(1);
  expect(stepsAhead(CAR, plan([4000]), T + 900)).toEqual([]);
});

it("reckons the energy to a charge, as drawn since it was plugged in", () => {
  expect(energyTo(0.8, 0.5, 60_000, 2000)).toBeCloseTo(20_000);
  expect(energyTo(0.4, 0.5, 60_000, 2000)).toBe(2000);
});
