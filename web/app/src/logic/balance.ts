/** What each part of the home takes or gives, and what is left for the rest of the house. */

import type { DeviceAnswer, HomeAnswer } from "../api/types";
import { NOTHING_W } from "./format";

/** Qualities of a figure that counts as one of now: a device that sleeps tells no newer one. */
export const CURRENT: ReadonlySet<string> = new Set(["good", "asleep"]);

const METER = "meter";
/**
 * A meter of one circuit, and the switch between home and street: what they show is counted already,
 * by the meter and by the home's devices.
 */
const COUNTED_ELSEWHERE: ReadonlySet<string> = new Set(["submeter", "tie"]);

export function isMeter(device: DeviceAnswer): boolean {
  return device.kind === METER;
}

/** Return what is worth a tile: all devices but the meter. */
export function tiles(home: HomeAnswer): DeviceAnswer[] {
  return home.devices.filter((d) => !isMeter(d));
}

/** Return what takes or gives power by itself: no meters. */
export function appliances(home: HomeAnswer): DeviceAnswer[] {
  return tiles(home).filter((d) => !COUNTED_ELSEWHERE.has(d.kind));
}

/** Return the meter's last known power, however old; null if it never answered. */
export function lastNetW(home: HomeAnswer): number | null {
  return home.net_w ?? home.devices.find(isMeter)?.power_w ?? null;
}

/** Return what a device draws; null once it is lost, for nobody knows what it does by now. */
function knownW(device: DeviceAnswer): number | null {
  return device.quality === "lost" ? null : device.power_w;
}

/**
 * Return what the rest of the house draws: the meter less all devices.
 *
 * Null where one of them is lost or never answered; not below zero, as readings a moment apart may say.
 */
export function restOfHouseW(home: HomeAnswer): number | null {
  return less(home, appliances(home));
}

function less(home: HomeAnswer, devices: DeviceAnswer[]): number | null {
  const net = lastNetW(home);
  if (net === null) return null;
  let rest = net;
  for (const device of devices) {
    const power = knownW(device);
    if (power === null) return null;
    rest -= power;
  }
  return Math.max(0, rest);
}

/** Whether the rest of the house is computed from current figures only. */
export function restIsCurrent(home: HomeAnswer): boolean {
  return home.net_w !== null && appliances(home).every((d) => CURRENT.has(d.quality));
}

export type Part = "solar" | "grid" | "battery" | "car" | "heat" | "rest";

/** Which part of the home's energy a kind of device belongs to; what is not here is the rest. */
export const PART_OF: Record<string, Part> = {
  pv: "solar",
  battery: "battery",
  evse: "car",
  heat_pump: "heat",
  water_heater: "heat",
  thermostat: "heat",
};

/** Which way power moves between a part and the house: into it, out of it, or not at all. */
export type Way = "in" | "out" | "still" | "unknown";

/** A part of the home's energy at one instant. */
export interface Flow {
  part: Part;
  /** Last known power in W, passive sign; null if it is not known. */
  power_w: number | null;
  way: Way;
  /** Whether the figure is one of now. */
  current: boolean;
  /** Age of the oldest reading in it that is not current, in s; null if it was never read. */
  age_s: number | null;
  /** Charge from 0 to 1, of the one device in it that has some. */
  soc: number | null;
}

/** What may give to the house, in this order, and what only takes. */
export const GIVERS: readonly Part[] = ["solar", "grid", "battery"];
export const TAKERS: readonly Part[] = ["car", "heat", "rest"];

/** Return the parts that this home has, at this instant. */
export function flows(home: HomeAnswer): Flow[] {
  return [...GIVERS, ...TAKERS].flatMap((part) => {
    if (part === "grid") return [gridFlow(home)];
    if (part === "rest") return [restFlow(home)];
    const devices = home.devices.filter((d) => PART_OF[d.kind] === part);
    return devices.length === 0 ? [] : [deviceFlow(part, devices)];
  });
}

/** Return what the house itself takes: all that is neither the sun's, the grid's nor the battery's. */
export function houseW(all: Flow[]): number | null {
  return all
    .filter((f) => TAKERS.includes(f.part))
    .reduce<number | null>(
      (sum, f) => (sum === null || f.power_w === null ? null : sum + f.power_w),
      0,
    );
}

function gridFlow(home: HomeAnswer): Flow {
  const meter = home.devices.find(isMeter);
  const net = lastNetW(home);
  const age = meter?.age_s ?? null;
  // What the meter counts as taken comes into the house; what a device takes leaves it.
  const { way } = moving(net === null ? null : -net);
  return { part: "grid", power_w: net, way, current: home.net_w !== null, age_s: age, soc: null };
}

function restFlow(home: HomeAnswer): Flow {
  const apart = appliances(home).filter((d) => d.kind in PART_OF);
  const current = home.net_w !== null && apart.every((d) => CURRENT.has(d.quality));
  const meters = home.devices.filter(isMeter);
  const age = meters.length === 0 ? null : oldest([...apart, ...meters]);
  return { part: "rest", ...moving(less(home, apart)), current, age_s: age, soc: null };
}

function deviceFlow(part: Part, devices: DeviceAnswer[]): Flow {
  const known = devices.filter((d) => d.power_w !== null);
  const sum = known.reduce((total, d) => total + (d.power_w ?? 0), 0);
  const charged = devices.filter((d) => d.soc !== null);
  return {
    part,
    ...moving(known.length === 0 ? null : sum),
    current: devices.every((d) => CURRENT.has(d.quality) && d.power_w !== null),
    age_s: oldest(devices),
    soc: charged.length === 1 ? (charged[0]?.soc ?? null) : null,
  };
}

function oldest(devices: DeviceAnswer[]): number | null {
  const ages = devices.filter((d) => !CURRENT.has(d.quality)).map((d) => d.age_s);
  if (ages.length === 0) return 0;
  return ages.reduce((a, b) => (a === null || b === null ? null : Math.max(a, b)));
}

function moving(power_w: number | null): { power_w: number | null; way: Way } {
  if (power_w === null) return { power_w, way: "unknown" };
  if (Math.abs(power_w) < NOTHING_W) return { power_w, way: "still" };
  return { power_w, way: power_w > 0 ? "out" : "in" };
}
