/** Small homes for the tests: a device or a home with only what a test cares about spelt out. */

import type { DeviceAnswer, EventAnswer, HomeAnswer, PlanAnswer } from "../src/api/types";

export function device(id: string, kind: string, rest: Partial<DeviceAnswer> = {}): DeviceAnswer {
  return {
    id,
    kind,
    name: id,
    power_w: 0,
    soc: null,
    temp_c: null,
    connected: true,
    wants_power: null,
    quality: "good",
    age_s: 0,
    setpoint_w: null,
    reason: "",
    error: null,
    ages: {},
    suspect: [],
    safe: "",
    risk: "",
    control: "",
    min_w: 0,
    max_w: 0,
    owned: true,
    wish_w: null,
    wish_until: null,
    functions: [],
    ...rest,
  };
}

export function event(id: string, rest: Partial<EventAnswer> = {}): EventAnswer {
  return {
    id,
    program: "Peak Saver",
    title: "Import at most 1.5 kW",
    effect: "",
    state: "running",
    starts_at: 1000,
    ends_at: 2000,
    opted_out: false,
    may_opt_out: true,
    note: "",
    consequence: "",
    ...rest,
  };
}

export function home(devices: DeviceAnswer[], rest: Partial<HomeAnswer> = {}): HomeAnswer {
  return {
    at: 1500,
    seq: 1,
    net_w: devices.find((d) => d.kind === "meter")?.power_w ?? null,
    limit_import_w: null,
    limit_export_w: null,
    devices,
    events: [],
    utility: {
      state: "connected",
      detail: "",
      server: "",
      lfdi: "",
      last_contact: null,
      name: "utility",
    },
    alarms: [],
    messages: [],
    price: null,
    utilities: [],
    ...rest,
  };
}

/** A plan of so many slots of a quarter-hour in which next to nothing is planned. */
export function plan(slots: number, rest: Partial<PlanAnswer> = {}): PlanAnswer {
  const each = <T>(value: T): T[] => Array.from({ length: slots }, () => value);
  return {
    time_zone: "UTC",
    made_at: 0,
    start: 0,
    step_s: 900,
    import_per_kwh: each(0.3),
    export_per_kwh: each(0.08),
    load_w: each(400),
    sun_w: each(0),
    net_w: each(400),
    limit_import_w: each(null),
    devices: {},
    cost: 0,
    currency: "EUR",
    given_up: [],
    notes: [],
    took_s: 0,
    ...rest,
  };
}
