/** What the console asks of events: what is possible, ordering, watching, settling. */

import { api, ask } from "./client";
import { untilAnswered, type Named } from "./once";
import type {
  AvailabilityOut,
  SummariesOut,
  EventIn,
  EventOut,
  PreviewOut,
  ProgramsOut,
  ProgressOut,
  ProposalOut,
  SettlementOut,
} from "./types";

const SILENT = 20;
const SETTLED = 100;

/** Return events without their homes, the latest first. */
export function summaries(signal: AbortSignal): Promise<SummariesOut> {
  return ask(api.GET("/summaries", { signal }));
}

export function programs(): Promise<ProgramsOut> {
  return ask(api.GET("/programs"));
}

/** Return what homes can do now, or hold over a time. */
export function availability(
  group: string | null,
  time: { from: number; to: number } | null,
  signal: AbortSignal,
): Promise<AvailabilityOut> {
  const query = { ...(group === null ? {} : { group }), ...(time ?? {}) };
  return ask(api.GET("/availability", { params: { query }, signal }));
}

/** Return what an order would do; nothing is ordered. */
export function preview(order: EventIn, signal: AbortSignal): Promise<PreviewOut> {
  return ask(api.POST("/events/preview", { body: order, signal }));
}

/** Order an event; returns it, or the proposal where a second person has to confirm it. */
export async function order(wish: EventIn, header: Named): Promise<{ event: string } | { proposal: string }> {
  const made = await untilAnswered(() => ask(api.POST("/events", { params: { header }, body: wish })));
  return "proposed_by" in made ? { proposal: made.id } : { event: made.id };
}

/** Return an event with each of its homes, and why some are not told. */
export function eventOf(id: string): Promise<EventOut> {
  return ask(api.GET("/events/{id}", { params: { path: { id } } }));
}

export function progress(id: string, after: string, signal: AbortSignal): Promise<ProgressOut> {
  const query = { limit: SILENT, ...(after === "" ? {} : { after }) };
  return ask(api.GET("/events/{id}/progress", { params: { path: { id }, query }, signal }));
}

/** Cancel an event; its homes end it at once, or at a time drawn from its own ranges. */
export function cancel(id: string, reason: string, randomize: boolean, header: Named): Promise<EventOut> {
  const params = { path: { id }, header };
  return untilAnswered(() => ask(api.POST("/events/{id}/cancel", { params, body: { reason, randomize } })));
}

export function settlement(id: string, after: string, signal: AbortSignal): Promise<SettlementOut> {
  const query = { limit: SETTLED, ...(after === "" ? {} : { after }) };
  return ask(api.GET("/events/{id}/settlement", { params: { path: { id }, query }, signal }));
}

/** Return proposals that wait for a second person. */
export async function proposals(signal: AbortSignal): Promise<ProposalOut[]> {
  const query = { state: "proposed" as const };
  return (await ask(api.GET("/proposals", { params: { query }, signal }))).proposals;
}

export function confirm(id: string, header: Named): Promise<EventOut> {
  return untilAnswered(() => ask(api.POST("/proposals/{id}/confirm", { params: { path: { id }, header } })));
}

export function withdraw(id: string, reason: string, header: Named): Promise<ProposalOut> {
  const params = { path: { id }, header };
  return untilAnswered(() => ask(api.POST("/proposals/{id}/withdraw", { params, body: { reason } })));
}
