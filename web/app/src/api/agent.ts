/** The software agent that watches over the hub, and what the hub consists of. */

import { api, ask } from "./client";
import type { AgentAnswer, InventoryAnswer } from "./types";

/** Return how the agent and what it watches over stand. */
export function fetchAgent(signal: AbortSignal): Promise<AgentAnswer> {
  return ask(api.GET("/api/agent", { signal }));
}

/** Return what the hub consists of; it asks its devices, which takes a while. */
export function fetchInventory(): Promise<InventoryAnswer> {
  return ask(api.GET("/api/agent/inventory"));
}

/** Have everything measured anew. */
export async function measure(): Promise<void> {
  await ask(api.POST("/api/agent/measure"));
}

/** Take how the machine has started now for how it is to start. */
export async function acceptBoot(): Promise<void> {
  await ask(api.POST("/api/agent/boot"));
}
