/** What was measured and what it cost. */

import { t } from "../i18n";
import { presentLanguage } from "../logic/language";
import { ApiError, api, ask } from "./client";
import type { Before, BillAnswer, EnergyAnswer, Grain } from "./types";

export interface EnergyQuestion {
  /** A day or time of the home: "2026-06-01", "2026-06-01T13:00". */
  from: string;
  to: string;
  step: Grain;
  compare?: Before;
}

export function fetchEnergy(query: EnergyQuestion, signal: AbortSignal): Promise<EnergyAnswer> {
  return ask(api.GET("/api/history/energy", { params: { query }, signal }));
}

/** Return a month's bill; the last one that is over where none is named. */
export function fetchBill(month: string | undefined, signal: AbortSignal): Promise<BillAnswer> {
  const query = month === undefined ? {} : { month };
  return ask(api.GET("/api/bill", { params: { query }, signal }));
}

/** A file as it came. */
export interface Fetched {
  name: string;
  content: Blob;
}

/** Fetch a file of the history; not through `ask`, which takes every answer for JSON. */
export async function fetchFile(
  asked: EnergyQuestion,
  format: "csv" | "parquet",
  signal: AbortSignal,
): Promise<Fetched> {
  const { from, to, step } = asked;
  const query = new URLSearchParams({ from, to, step, format, lang: presentLanguage() });
  const name = `hems-history-${from}-${to}-${step}.${format}`.replaceAll(":", "");
  let response: Response;
  try {
    response = await fetch(`/api/history/export?${query}`, { signal });
    if (response.ok) return { name, content: await response.blob() };
  } catch (reason) {
    if (signal.aborted) throw reason;
    throw new ApiError(t("shell.unreachable"));
  }
  const said = (await response.json().catch(() => ({}))) as { error?: string };
  throw new ApiError(said.error ?? t("shell.refused", { status: response.status }));
}
