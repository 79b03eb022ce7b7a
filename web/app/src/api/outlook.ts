/** What the first page asks beside the live figures: the plan, the accounts, what was measured. */

import { api, ask } from "./client";
import type { HistoryAnswer, MoneyAnswer, PlanAnswer } from "./types";

const STEP_S = 300;

/** An interval of time, UTC epoch seconds. */
export interface Between {
  start: number;
  end: number;
}

/** Return the plan in force; null where nothing is planned, or not yet. */
export async function fetchPlan(signal: AbortSignal): Promise<PlanAnswer | null> {
  return (await ask(api.GET("/api/plan", { signal }))) || null;
}

/** Return today's accounts. */
export function fetchToday(signal: AbortSignal): Promise<MoneyAnswer> {
  return ask(api.GET("/api/money", { params: { query: { days: 1 } }, signal }));
}

/** Return the accounts of an interval of time, by quarter-hours. */
export function fetchQuarters({ start, end }: Between, signal: AbortSignal): Promise<MoneyAnswer> {
  return ask(api.GET("/api/money", { params: { query: { start, end, step: "interval" } }, signal }));
}

/** Return what was measured on a day (ISO 8601), or in an interval of time. */
export function fetchMeasured(what: string | Between, signal: AbortSignal): Promise<HistoryAnswer> {
  const asked = typeof what === "string" ? { day: what } : what;
  return ask(api.GET("/api/history", { params: { query: { step: STEP_S, ...asked } }, signal }));
}
