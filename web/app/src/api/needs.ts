/** What is wanted of cars and appliances, asked and told. */

import { api, ask } from "./client";
import type { CarOrderBody, HabitBody, NeedsAnswer, RunOrderBody } from "./types";

export function fetchNeeds(signal: AbortSignal): Promise<NeedsAnswer> {
  return ask(api.GET("/api/needs", { signal }));
}

export async function orderCar(car: string, body: CarOrderBody): Promise<void> {
  await ask(api.POST("/api/cars/{car}/order", { params: { path: { car } }, body }));
}

/** Go back to the car's habit. */
export async function endCarOrder(car: string): Promise<void> {
  await ask(api.DELETE("/api/cars/{car}/order", { params: { path: { car } } }));
}

/** Charge a car by another habit as a rule; null for the one that is configured. */
export async function accustomCar(car: string, body: HabitBody | null): Promise<void> {
  const params = { path: { car } };
  if (body === null) await ask(api.DELETE("/api/cars/{car}/habit", { params }));
  else await ask(api.PUT("/api/cars/{car}/habit", { params, body }));
}

export async function askRun(appliance: string, body: RunOrderBody): Promise<void> {
  await ask(api.POST("/api/appliances/{appliance}/run", { params: { path: { appliance } }, body }));
}

export async function cancelRun(appliance: string): Promise<void> {
  await ask(api.DELETE("/api/appliances/{appliance}/run", { params: { path: { appliance } } }));
}
