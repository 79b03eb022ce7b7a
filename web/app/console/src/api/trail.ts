/** What was done at the operator's door, and by whom; and what the fleet's watch has noticed. */

import { api, ask } from "./client";
import type { SignalsOut, TrailEntriesOut, VerdictOut } from "./types";

const PAGE = 100;

/** Return a page of the trail, the latest first. */
export function trail(who: string, before: number | null, signal?: AbortSignal): Promise<TrailEntriesOut> {
  const query = { limit: PAGE, ...(who === "" ? {} : { who }), ...(before === null ? {} : { before }) };
  return ask(api.GET("/trail", { params: { query }, ...(signal ? { signal } : {}) }));
}

/** Return whether the trail is whole. */
export function check(): Promise<VerdictOut> {
  return ask(api.GET("/trail/check"));
}

/** Return what is wrong in the fleet at present. */
export function signals(signal: AbortSignal): Promise<SignalsOut> {
  return ask(api.GET("/signals", { signal }));
}
