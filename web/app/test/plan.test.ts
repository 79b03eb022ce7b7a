import { describe, expect, it } from "vitest";
import type { DeviceAnswer } from "../src/api/types";
import { ahead, comingSteps, nextWords, reasonOf, stepTime, stepWords, why, type Step } from "../src/logic/plan";
import { device, event, home, plan } from "./home";
import { plain, say } from "./say";

const HOUR = 3600;

function step(from: number, to: number, power_w: number, rest: Partial<Step> = {}): Step {
  return { starts_at: from * HOUR, ends_at: to * HOUR, power_w, use: "", reason: "", ...rest };
}

describe("a step in words", () => {
  const rows: [string, Partial<Step>, string][] = [
    ["evse", { power_w: 4000 }, "charges with 4.0 kW"],
    ["evse", { power_w: 0 }, "waits"],
    ["water_heater", { power_w: 2000 }, "heats with 2.0 kW"],
    ["heat_pump", { power_w: 0 }, "pauses"],
    ["plug", { power_w: 900 }, "runs with 900 W"],
    ["plug", { power_w: 3 }, "is off"],
    ["battery", { use: "keep" }, "keeps its charge"],
    ["battery", { use: "charge", power_w: 2000 }, "charges with 2.0 kW"],
    ["battery", { use: "sell", power_w: -3000 }, "sells 3.0 kW to the grid"],
    ["battery", { use: "", power_w: -3000 }, "gives 3.0 kW"],
  ];
  it.each(rows)("%s %o", (kind, rest, text) =>
    expect(plain(stepWords(say, kind, step(0, 1, 0, rest)))).toBe(text),
  );
});

const devices = [device("car", "evse", { name: "Wallbox" }), device("battery", "battery")];
const planned = plan(4, {
  devices: {
    car: {
      power_w: [],
      level: [],
      steps: [step(0, 2, 0), step(2, 3, 7000, { reason: "The cheapest hours" }), step(3, 9, 0)],
    },
    battery: { power_w: [], level: [], steps: [step(0, 2, 0, { use: "keep" }), step(2, 40, -900)] },
    gone: { power_w: [], level: [], steps: [step(0, 9, 5000)] },
  },
});

describe("the steps to come", () => {
  const found = comingSteps(home(devices), planned, HOUR);
  it("are those in which something happens, by devices that are there", () =>
    expect(found.map((c) => [c.device.id, c.step.starts_at / HOUR, c.present])).toEqual([
      ["battery", 0, true],
      ["car", 2, false],
      ["battery", 2, false],
    ]));
  it("tell their times", () =>
    expect(found.map((c) => plain(stepTime(say, c, HOUR, "UTC")))).toEqual([
      "Now, until 02:00",
      "02:00 \u2013 03:00",
      "02:00 \u2013 tomorrow 16:00",
    ]));
  it("do not reach further than a day", () =>
    expect(comingSteps(home(devices), planned, -23 * HOUR).map((c) => c.device.id)).toEqual([
      "battery",
    ]));
  it("are none without a plan", () => expect(comingSteps(home(devices), null, 0)).toEqual([]));
});

describe("what a device does next", () => {
  const [car] = devices;
  it.each([
    [HOUR, "02:00: charges with 7.0 kW"],
    [2 * HOUR, "03:00: waits"],
    [4 * HOUR, ""],
  ])("at %s s", (now, text) =>
    expect(plain(nextWords(say, planned, car ?? device("", ""), now, "UTC"))).toBe(text),
  );
});

describe("what comes next", () => {
  const price = { tariff: "", currency: "EUR", per_kwh: 0.3, until: 1.5 * HOUR, next_per_kwh: 0.2 };
  const events = [
    event("a", { starts_at: 0, ends_at: 1.8 * HOUR }),
    event("b", { state: "coming", starts_at: 2.5 * HOUR, program: "Calm", title: "Less" }),
    event("c", { state: "coming", starts_at: 1.2 * HOUR, opted_out: true }),
  ];
  it("is told in order of time, whatever it is", () =>
    expect(ahead(say, home(devices, { events, price }), planned, HOUR, 4).map((a) => plain(a.words))).toEqual(
      [
        "energy gets cheaper: \u20ac0.20 a kWh",
        "Peak Saver ends",
        "Wallbox charges with 7.0 kW",
        "battery gives 900 W",
      ],
    ));
  it("is nothing where nothing is known", () =>
    expect(ahead(say, home(devices), null, HOUR, 4)).toEqual([]));
});

describe("why", () => {
  it("an event comes first, then the device that moves most", () => {
    const house = [
      device("pv", "pv", { power_w: -6000, reason: "The sun" }),
      device("water", "water_heater", { power_w: 0, setpoint_w: 0, name: "Water", reason: "Waits." }),
      device("car", "evse", { power_w: 2760, setpoint_w: 2760, name: "Wallbox", reason: "Held." }),
    ];
    const shown = home(house, { events: [event("a", { ends_at: 2 * HOUR })] });
    expect(why(say, shown, null, HOUR, "UTC", 2)).toEqual([
      "Peak Saver asks: Import at most 1.5 kW, until 02:00.",
      "Wallbox: Held.",
    ]);
    expect(why(say, home(house), null, HOUR, "UTC", 9)).toEqual(["Wallbox: Held.", "Water: Waits."]);
  });
  it("a device that nobody holds does what was planned, for that reason", () => {
    const at = 2.5 * HOUR;
    const [car] = devices;
    const charging = { ...car, power_w: 6900, reason: "It runs by itself" } as DeviceAnswer;
    expect(reasonOf(planned, charging, at)).toBe("The cheapest hours");
    expect(why(say, home([charging]), planned, at, "UTC", 2)).toEqual(["Wallbox: The cheapest hours"]);
    expect(reasonOf(planned, { ...charging, power_w: 0 }, at)).toBe("It runs by itself");
    expect(reasonOf(planned, { ...charging, setpoint_w: 6900 }, at)).toBe("It runs by itself");
  });
  it("a device that nobody holds and nothing is planned for gives none", () => {
    const kettle = device("kettle", "plug", { power_w: 2000, reason: "It runs by itself" });
    expect(why(say, home([kettle]), planned, 0, "UTC", 2)).toEqual([]);
  });
  it("a device that does not answer comes before what others do", () => {
    const house = [
      device("car", "evse", { power_w: 2760, setpoint_w: 2760, name: "Wallbox", reason: "Held." }),
      device("meter", "meter", { name: "Meter", quality: "lost", age_s: 40 }),
    ];
    expect(why(say, home(house), null, HOUR, "UTC", 2)).toEqual([
      "Meter: No usable answer. The hub keeps asking and manages without it.",
      "Wallbox: Held.",
    ]);
  });
  it("an event that was left is no reason", () =>
    expect(why(say, home([], { events: [event("a", { opted_out: true })] }), null, 0, "UTC", 2)).toEqual(
      [],
    ));
});
