/** The hub's own software: what runs, what is offered, and what the owner decides. */

import { api, ask } from "./client";
import type { InstallOrder, UpdatesAnswer } from "./schema";

/** Return how the hub's own software stands. */
export function fetchUpdates(signal: AbortSignal): Promise<UpdatesAnswer> {
  return ask(api.GET("/api/updates", { signal }));
}

/** Have the version that is offered installed and tried. */
export async function installUpdate(order: InstallOrder): Promise<void> {
  await ask(api.POST("/api/updates/install", { body: order }));
}

/** Have a version not tried now. */
export async function putOffUpdate(version: string): Promise<void> {
  await ask(api.POST("/api/updates/put-off", { body: { version } }));
}

/** Have the former version run again. */
export async function goBackToFormer(): Promise<void> {
  await ask(api.POST("/api/updates/back"));
}
