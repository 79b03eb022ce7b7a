/**
 * The API's questions and wishes.
 *
 * `ask(api.GET("/api/plan"))` gives what the hub answers, typed by its own description, or throws an
 * ApiError with one sentence for the reader.
 */

import createClient from "openapi-fetch";
import { t } from "../i18n";
import { presentLanguage } from "../logic/language";
import { askProof } from "../state/proof";
import { takeAnswer } from "./ahead";
import type { HistoryAnswer, paths } from "./schema";

const FORBIDDEN = 403;

/** What went wrong, in one sentence for the reader; `status` is 0 where the hub did not answer. */
export class ApiError extends Error {
  constructor(
    sentence: string,
    readonly status = 0,
    /** Whether a second proof of who asks is all that is missing. */
    readonly second = false,
  ) {
    super(sentence);
  }
}

interface Asked<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The hub's operations; each answer says whether it went well, so `ask` is what to use it with. */
export const api = createClient<paths>({
  // Looked up when asked, so that a test or a service worker may put another in its place.
  fetch: (request) => takeAnswer(request) ?? proved(request),
});

/** Ask the hub; where it wants a proof of who asks, ask it again once the reader has given that. */
async function proved(request: Request): Promise<Response> {
  if (request.method === "GET") return globalThis.fetch(request);
  const again = request.clone();
  const response = await globalThis.fetch(request);
  if (response.status !== FORBIDDEN || !(await wantsProof(response.clone()))) return response;
  return (await askProof()) ? globalThis.fetch(again) : response;
}

async function wantsProof(response: Response): Promise<boolean> {
  try {
    const told: unknown = await response.json();
    return typeof told === "object" && told !== null && "proof" in told && told.proof === true;
  } catch (error) {
    if (error instanceof SyntaxError) return false; // not the hub that says so
    throw error;
  }
}

api.use({
  onRequest({ request }) {
    request.headers.set("Accept-Language", presentLanguage());
  },
});

/** Return what the hub answers; undefined where it has nothing to answer. */
export async function ask<T>(asking: Promise<Asked<T>>): Promise<T> {
  let asked: Asked<T>;
  try {
    asked = await asking;
  } catch {
    throw new ApiError(t("shell.unreachable"));
  }
  const { data, error, response } = asked;
  if (!response.ok) throw new ApiError(sentenceOf(error, response.status), response.status, isSecond(error));
  return data as T;
}

function isSecond(error: unknown): boolean {
  return typeof error === "object" && error !== null && "second" in error && error.second === true;
}

function sentenceOf(error: unknown, status: number): string {
  if (typeof error === "object" && error !== null && "error" in error) return String(error.error);
  // no JSON: an error of a proxy, or the hub stopping in the middle of its answer
  return t("shell.refused", { status });
}

/** Return a day's measurements; null asks for today. */
export async function history(day: string | null, signal: AbortSignal): Promise<HistoryAnswer> {
  return ask(api.GET("/api/history", { params: { query: { step: 300, day } }, signal }));
}

/** Tell the hub that a message has been read. */
export async function acknowledge(message: string): Promise<void> {
  await ask(api.POST("/api/messages/{message}/acknowledge", { params: { path: { message } } }));
}

/** Leave an event, or take part again. */
export async function wish(event: string, what: "opt-out" | "opt-in"): Promise<void> {
  await ask(api.POST(`/api/events/{event}/${what}`, { params: { path: { event } } }));
}
