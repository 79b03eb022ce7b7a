/**
 * What the console asks the operator's door.
 *
 * `ask(api.GET("/proposals"))` gives what the door answers, typed by its own description, or throws
 * an ApiError with one sentence for the reader.
 */

import createClient from "openapi-fetch";
import { said, t } from "../i18n";
import type { paths } from "./schema";

/** What went wrong, in one sentence; `status` is 0 where the server did not answer. */
export class ApiError extends Error {
  constructor(
    sentence: string,
    readonly status = 0,
  ) {
    super(sentence);
  }
}

export const UNKNOWN = 401;
export const FORBIDDEN = 403;

interface Asked<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Shown with each change, so that no other site can have this browser make it. */
let proof = "";

export function keepProof(csrf: string): void {
  proof = csrf;
}

export const api = createClient<paths>({ fetch: (request) => globalThis.fetch(request) });

api.use({
  onRequest({ request }) {
    if (request.method !== "GET") request.headers.set("X-CSRF-Token", proof);
  },
});

/** Return what the door answers; undefined where it has nothing to answer. */
export async function ask<T>(asking: Promise<Asked<T>>): Promise<T> {
  let asked: Asked<T>;
  try {
    asked = await asking;
  } catch (reason) {
    if (reason instanceof DOMException && reason.name === "AbortError") throw reason;
    throw new ApiError(t("shell.unreachable"));
  }
  const { data, error, response } = asked;
  if (!response.ok) throw new ApiError(sentenceOf(error, response.status), response.status);
  return data as T;
}

function sentenceOf(error: unknown, status: number): string {
  if (typeof error === "object" && error !== null && "error" in error) return said(String(error.error));
  // no JSON: an error of a proxy, or the server stopping in the middle of its answer
  return t("shell.refused", { status });
}
