/** What the page about privacy and security asks and tells. */

import { api, ask } from "./client";
import type { CheckAnswer, LogAnswer, LogRowAnswer } from "./schema";
import type {
  AccessAnswer,
  AlarmsAnswer,
  GrantAnswer,
  GrantOrder,
  SecurityAnswer,
} from "./types";

/** Return how the home is guarded, and what leaves it. */
export function fetchSecurity(signal: AbortSignal): Promise<SecurityAnswer> {
  return ask(api.GET("/api/security", { signal }));
}

/** Return what is wrong with the home and what was. */
export function fetchAlarms(signal: AbortSignal): Promise<AlarmsAnswer> {
  return ask(api.GET("/api/alarms", { signal }));
}

/** Return who may see what is measured, and who might. */
export async function fetchGrants(signal: AbortSignal): Promise<GrantAnswer[]> {
  return (await ask(api.GET("/api/grants", { signal }))).grants;
}

/** Return the last times that somebody looked or tried to. */
export async function fetchAccesses(most: number, signal: AbortSignal): Promise<AccessAnswer[]> {
  const asked = api.GET("/api/accesses", { params: { query: { most } }, signal });
  return (await ask(asked)).accesses;
}

/** Let somebody see something until a day. */
export async function grant(order: GrantOrder): Promise<void> {
  await ask(api.POST("/api/grants", { body: order }));
}

/** End a grant at once. */
export async function withdraw(id: number): Promise<void> {
  const path = { number: String(id) };
  await ask(api.DELETE("/api/grants/{number}", { params: { path } }));
}

/** Where the whole security log is, a row a line. */
export const SECURITY_LOG_FILE = "/api/security/log/export";

/** Return rows of the security log that are grave enough, the newest first. */
export function fetchSecurityLog(
  least: "info" | "notice" | "warning" | "alarm",
  before: LogRowAnswer["seq"] | null,
): Promise<LogAnswer> {
  const query = { most: 20, least, ...(before === null ? {} : { before }) };
  return ask(api.GET("/api/security/log", { params: { query } }));
}

/** Return whether the security log is as it was written. */
export function checkSecurityLog(): Promise<CheckAnswer> {
  return ask(api.GET("/api/security/log/check"));
}
