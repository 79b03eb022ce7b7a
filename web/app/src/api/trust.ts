/** Which devices are trusted: asked, and judged. */

import { api, ask } from "./client";
import type { StandAnswer } from "./types";

/** Return how each device stands. */
export async function fetchTrust(signal: AbortSignal): Promise<StandAnswer[]> {
  return (await ask(api.GET("/api/trust", { signal }))).devices;
}

/** Trust a new device as it shows itself. */
export async function approve(device: string): Promise<void> {
  await ask(api.POST("/api/trust/{device}/approve", { params: { path: { device } }, body: {} }));
}

/** Shut a device. */
export async function block(device: string, why: string): Promise<void> {
  const order = { params: { path: { device } }, body: { why } };
  await ask(api.POST("/api/trust/{device}/block", order));
}

/** Take a block back. */
export async function allow(device: string): Promise<void> {
  await ask(api.POST("/api/trust/{device}/allow", { params: { path: { device } }, body: {} }));
}

/** Take a device out of quarantine: as it shows itself now, or as it was before. */
export async function lift(device: string, why: string, accept: boolean): Promise<void> {
  const order = { params: { path: { device } }, body: { why, accept } };
  await ask(api.POST("/api/trust/{device}/lift", order));
}
