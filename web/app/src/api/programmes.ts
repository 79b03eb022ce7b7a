/** What the programmes' page asks and tells. */

import { api, ask } from "./client";
import type { IslandAnswer, ProgrammesAnswer, RecordAnswer, ReservesAnswer } from "./types";
import type { Between } from "./outlook";

/** What is decided about a programme, having read the text of that version. */
export interface Choice {
  what: "join" | "leave";
  version: string;
  /** Until when it counts, UTC epoch seconds; null without an end. */
  until: number | null;
}

/** Return what the home can take part in. */
export function fetchProgrammes(signal: AbortSignal): Promise<ProgrammesAnswer> {
  return ask(api.GET("/api/programmes", { signal }));
}

/** Join or leave a programme; the hub notes who did. */
export async function decide(programme: string, choice: Choice): Promise<void> {
  const { what, ...body } = choice;
  const path = { programme };
  await ask(api.POST(`/api/programmes/{programme}/${what}`, { params: { path }, body }));
}

/** Return what was delivered in an interval of time. */
export async function fetchRecords(between: Between, signal: AbortSignal): Promise<RecordAnswer[]> {
  const asked = api.GET("/api/programmes/records", { params: { query: { ...between } }, signal });
  return (await ask(asked)).records;
}

/** Return how the reserve stands; null where the home offers none. */
export async function fetchReserves(signal: AbortSignal): Promise<ReservesAnswer | null> {
  return (await ask(api.GET("/api/reserves", { signal }))) || null;
}

/** Return how the home stands to its grid; null where it has no tie. */
export async function fetchIsland(signal: AbortSignal): Promise<IslandAnswer | null> {
  return (await ask(api.GET("/api/island", { signal }))) || null;
}

/** Ask the home to part from its grid, or to go back to it. */
export async function askIsland(leave: boolean): Promise<void> {
  await ask(api.POST("/api/island", { body: { leave } }));
}

/** Return where a settlement's file is found; it holds what ended in the interval. */
export function settlementHref(form: "csv" | "jsonl", { start, end }: Between): string {
  return `/api/settlement.${form}?start=${start}&end=${end}`;
}
