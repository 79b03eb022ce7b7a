/** Where power comes from and where it goes: both sides add up to the same sum. */

import type { DeviceAnswer, HomeAnswer } from "../api/types";
import { NOTHING_W } from "./format";

/** Qualities of a figure that counts as one of now: a device that sleeps tells no newer one. */
export const CURRENT: ReadonlySet<string> = new Set(["good", "asleep"]);

export interface Share {
  id: string;
  kind: string;
  name: string;
  /** Always positive. */
  power_w: number;
  /** Whether the figure is current. */
  current: boolean;
}

export interface Balance {
  from: Share[];
  to: Share[];
  total_w: number;
}

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
  const net = lastNetW(home);
  if (net === null) return null;
  let rest = net;
  for (const device of appliances(home)) {
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

/** Return both sides of the home's balance; what moves less than a flicker is left out. */
export function balance(home: HomeAnswer): Balance {
  const net = lastNetW(home);
  const parts: { share: Share; signed: number }[] = appliances(home).map((d) =>
    part(d.id, d.kind, d.name, knownW(d) ?? 0, CURRENT.has(d.quality)),
  );
  parts.push(part("rest", "rest", "Rest of the house", restOfHouseW(home) ?? 0, restIsCurrent(home)));
  // Power from the grid is a source, power to it a use: the sign is turned.
  parts.unshift(part("grid", "grid", "Grid", -(net ?? 0), home.net_w !== null));
  const moving = parts.filter((p) => p.share.power_w >= NOTHING_W);
  const from = moving.filter((p) => p.signed < 0).map((p) => p.share);
  const to = moving.filter((p) => p.signed > 0).map((p) => p.share);
  if (restOfHouseW(home) === null) level(from, to);
  return { from, to, total_w: Math.max(sum(from), sum(to)) };
}

/** Fill the shorter side up with what nobody can say: not all devices have answered. */
function level(from: Share[], to: Share[]): void {
  const missing = sum(from) - sum(to);
  if (Math.abs(missing) < NOTHING_W) return;
  const { share } = part("unknown", "unknown", "Not known", missing, false);
  (missing > 0 ? to : from).push(share);
}

function part(
  id: string,
  kind: string,
  name: string,
  signed: number,
  current: boolean,
): { share: Share; signed: number } {
  return { share: { id, kind, name, power_w: Math.abs(signed), current }, signed };
}

function sum(shares: Share[]): number {
  return shares.reduce((total, share) => total + share.power_w, 0);
}
