/** What becomes of a car by the plan, and what is asked of it. Pure. */

import type { CarAnswer, CarMode, PlanAnswer, StepAnswer } from "../api/types";

/** What a car will have by the time at which it has to be ready. */
export interface Readiness {
  ready: boolean;
  /** By when, UTC epoch seconds. */
  at: number;
  /** Energy that it will have drawn by then, Wh. */
  hasWh: number;
  /** What it needs, Wh. */
  needsWh: number;
}

/** A rest of this size is what planning by slots leaves. */
const ROUGH_WH = 250;
const ROUGH_SHARE = 0.02;

/** Return what a car needs in this stay, Wh; null where nobody knows. */
export function neededWh(car: CarAnswer): number | null {
  return car.energy_wh ?? car.usual_wh;
}

/** Return whether a car will be ready by the plan; null where there is nothing to say of it. */
export function readiness(car: CarAnswer, plan: PlanAnswer | null, now: number): Readiness | null {
  const needsWh = neededWh(car);
  if (plan === null || car.ready_at === null || needsWh === null) return null;
  if (plan.devices[car.device] === undefined || car.plugged === false) return null;
  const hasWh = (car.taken_wh ?? 0) + (chargingCost(car, plan, now)?.energyWh ?? 0);
  const roughWh = Math.max(ROUGH_WH, needsWh * ROUGH_SHARE);
  return { ready: hasWh >= needsWh - roughWh, at: car.ready_at, hasWh, needsWh };
}

/** Return the steps of a car's plan that are not over, the next few. */
export function stepsAhead(car: CarAnswer, plan: PlanAnswer | null, now: number): StepAnswer[] {
  const steps = plan?.devices[car.device]?.steps ?? [];
  return steps.filter((step) => step.ends_at > now).slice(0, 4);
}

/** What the plan reckons that charging costs until a time. */
export interface Cost {
  amount: number;
  energyWh: number;
}

/**
 * Return about what charging a car costs by the plan from now on, until it has to be ready.
 *
 * Energy from the grid costs its price, the home's own what the grid would have paid for it.
 */
export function chargingCost(car: CarAnswer, plan: PlanAnswer | null, now: number): Cost | null {
  const powers = plan?.devices[car.device]?.power_w;
  if (plan === null || powers === undefined) return null;
  let amount = 0;
  let energyWh = 0;
  powers.forEach((powerW, slot) => {
    const hours = (leftOf(plan, slot, now, car.ready_at ?? Infinity) * plan.step_s) / 3600;
    if (hours <= 0 || powerW <= 0) return;
    const gridW = Math.min(powerW, Math.max(plan.net_w[slot] ?? powerW, 0));
    const paid = plan.import_per_kwh[slot] ?? 0;
    const forgone = plan.export_per_kwh[slot] ?? 0;
    amount += ((gridW * paid + (powerW - gridW) * forgone) * hours) / 1000;
    energyWh += powerW * hours;
  });
  return energyWh > 0 ? { amount, energyWh } : null;
}

/**
 * Return which share of a slot's energy is still to come before a time, 0 to 1.
 *
 * What the plan has for the slot in which it was made comes in what then was left of it.
 */
function leftOf(plan: PlanAnswer, slot: number, now: number, until: number): number {
  const starts = plan.start + slot * plan.step_s;
  const begins = Math.max(starts, Math.min(plan.made_at, starts + plan.step_s - 1));
  const lasts = starts + plan.step_s - begins;
  return Math.max(0, Math.min(starts + plan.step_s, until) - Math.max(begins, now)) / lasts;
}

/** Return the energy that brings a car to a charge, as drawn since it was plugged in, Wh. */
export function energyTo(
  targetSoc: number,
  soc: number,
  capacityWh: number,
  takenWh: number,
): number {
  return takenWh + Math.max(targetSoc - soc, 0) * capacityWh;
}

/** How a car can be charged, in the order in which it is offered. */
export const MODES: readonly CarMode[] = ["solar", "cheapest", "now"];

/** Days of the week as the hub counts them: 0 for Monday. */
export const WEEK: readonly number[] = [0, 1, 2, 3, 4, 5, 6];

/** A Monday, from which days of the week are named. */
const MONDAY_MS = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;

/** Return the short name of a day of the week in a language. */
export function dayLetters(day: number, language: string): string {
  const at = new Date(MONDAY_MS + day * DAY_MS);
  return new Intl.DateTimeFormat(language, { weekday: "short", timeZone: "UTC" }).format(at);
}
