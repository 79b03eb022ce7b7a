/** What can be done with a device, and how it is told. Pure. */

import type { DeviceAnswer, DeviceDetailAnswer } from "../api/types";
import { clockTime, moment, power } from "./format";
import type { Say } from "./say";

/** Something that the owner may have a device do for a while. */
export interface Override {
  /** Key of its words in `devices.override`. */
  name: string;
  /** What it means, W, passive sign; null where the owner says how much. */
  powerW: number | null;
}

/** By what a set-point means to a device. */
const BY_CONTROL: Record<string, (device: DeviceAnswer) => Override[]> = {
  target: (d) => [
    { name: "hold", powerW: 0 },
    ...(d.max_w > 0 ? [{ name: "charge", powerW: d.max_w }] : []),
    ...(d.min_w < 0 ? [{ name: "discharge", powerW: d.min_w }] : []),
  ],
  ceiling: (d) => [
    { name: "chargeNow", powerW: d.max_w },
    { name: "pause", powerW: 0 },
    { name: "atMost", powerW: null },
  ],
  switch: (d) => [
    { name: "on", powerW: d.max_w },
    { name: "off", powerW: 0 },
  ],
  floor: () => [
    { name: "giveAtMost", powerW: null },
    { name: "giveNothing", powerW: 0 },
  ],
};

/** Return what the owner may have a device do; nothing where no wish of theirs moves it. */
export function overrides(device: DeviceAnswer): Override[] {
  return device.owned ? (BY_CONTROL[device.control]?.(device) ?? []) : [];
}

/** Return the greatest size of a power that the owner may choose for a device, W. */
export function mostW(device: DeviceAnswer): number {
  return device.control === "floor" ? -device.min_w : device.max_w;
}

/** Return a chosen size as a power of a device, W, passive sign. */
export function signedW(device: DeviceAnswer, sizeW: number): number {
  if (device.control !== "floor") return sizeW;
  return sizeW === 0 ? 0 : -sizeW; // no "-0", which JSON would keep
}

/** Say what the owner has set; empty without a wish. */
export function wishWords(say: Say, device: DeviceAnswer, now: number, zone: string): string {
  if (device.wish_w === null || device.wish_until === null) return "";
  const until = moment(device.wish_until, now, zone);
  const known = overrides(device).find((each) => each.powerW === device.wish_w);
  const name = known?.name ?? (device.control === "floor" ? "giveAtMost" : "atMost");
  return say(`devices.wished.${name}`, { until, power: power(device.wish_w) });
}

/** Say who decides about a device now. */
export function modeWords(say: Say, device: DeviceAnswer, now: number, zone: string): string {
  const wished = wishWords(say, device, now, zone);
  if (wished !== "") return wished;
  if (device.control === "" || device.control === "none") return say("devices.mode.measures");
  if (!device.owned) return say("devices.mode.notYours");
  if (device.quality === "lost") return say("devices.mode.alone");
  return say(device.setpoint_w === null ? "devices.mode.itself" : "devices.mode.hub");
}

/** The next instant at which the home's clock shows a time ("07:00"), UTC epoch seconds. */
export function nextClock(time: string, now: number, zone: string): number {
  const wanted = minutes(time);
  const ahead = (wanted - minutes(clockTime(now, zone)) + DAY_MIN) % DAY_MIN || DAY_MIN;
  const found = now - (now % 60) + ahead * 60;
  // The clocks may change in between: the same time shown then is up to an hour off.
  let off = wanted - minutes(clockTime(found, zone));
  if (off > DAY_MIN / 2) off -= DAY_MIN;
  if (off < -DAY_MIN / 2) off += DAY_MIN;
  return found + off * 60;
}

const DAY_MIN = 24 * 60;

function minutes(time: string): number {
  const [hours = "0", rest = "0"] = time.split(":");
  return Number(hours) * 60 + Number(rest);
}

/** When a device is given up while power is short: the essentiality that each word stands for. */
export const ESSENTIALITIES = [
  { name: "first", value: 0 },
  { name: "early", value: 3 },
  { name: "normal", value: 5 },
  { name: "late", value: 8 },
  { name: "never", value: 9 },
] as const;

/** Return the word for an essentiality from 0 to 9. */
export function essentialityName(essentiality: number): string {
  if (essentiality >= 9) return "never";
  if (essentiality >= 7) return "late";
  if (essentiality >= 4) return "normal";
  return essentiality >= 2 ? "early" : "first";
}

/** How a device is: a key of `devices.health`. */
export function health(device: DeviceAnswer): string {
  if (device.quality === "lost") return device.age_s === null ? "never" : "lost";
  if (device.quality === "stale") return "stale";
  if (device.suspect.length > 0) return "suspect";
  if (device.error !== null) return "trouble";
  return device.quality === "asleep" ? "asleep" : "good";
}

/** Return who made a device and what it is: "Acme Box 5"; empty where it does not say. */
export function maker(detail: DeviceDetailAnswer): string {
  return [detail.manufacturer, detail.model].filter((part) => part !== "").join(" ");
}

/** Return a power that somebody typed in kW as W; null for what is no number. */
export function typedW(kilowatts: number | ""): number | null {
  return typeof kilowatts === "number" && Number.isFinite(kilowatts) ? kilowatts * 1000 : null;
}
