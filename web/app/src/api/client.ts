/** The API's questions and wishes. */

import type { HistoryAnswer, ProgrammeAnswer, ProgrammesAnswer } from "./types";

/** What went wrong, in one sentence for the owner. */
export class ApiError extends Error {}

const UNREACHABLE = "The hub does not answer. Check that it is switched on and try again.";

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch {
    throw new ApiError(UNREACHABLE);
  }
  if (!answer.ok) throw new ApiError(await sentenceOf(answer));
  return answer;
}

async function sentenceOf(answer: Response): Promise<string> {
  try {
    const body: unknown = await answer.json();
    if (typeof body === "object" && body !== null && "error" in body) return String(body.error);
  } catch {
    // no JSON: an error of a proxy, or the hub stopping in the middle of its answer
  }
  return `The hub could not do this (status ${answer.status}).`;
}

/** Return a day's measurements; null asks for today. */
export async function history(day: string | null, signal: AbortSignal): Promise<HistoryAnswer> {
  const query = new URLSearchParams({ step: "300", ...(day === null ? {} : { day }) });
  const answer = await ask(`/api/history?${query}`, { signal });
  return (await answer.json()) as HistoryAnswer;
}

/** Tell the hub that a message has been read. */
export async function acknowledge(message: string): Promise<void> {
  await ask(`/api/messages/${encodeURIComponent(message)}/acknowledge`, { method: "POST" });
}

/** Leave an event, or take part again. */
export async function wish(event: string, what: "opt-out" | "opt-in"): Promise<void> {
  await ask(`/api/events/${encodeURIComponent(event)}/${what}`, { method: "POST" });
}

/** Return what the home can take part in. */
export async function programmes(): Promise<ProgrammeAnswer[]> {
  const answer = await ask("/api/programmes");
  return ((await answer.json()) as ProgrammesAnswer).programmes;
}

/** Join or leave a programme, having read the text of that version. */
export async function decide(
  programme: string,
  what: "join" | "leave",
  by: string,
  version: string,
): Promise<void> {
  await ask(`/api/programmes/${encodeURIComponent(programme)}/${what}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ by, version }),
  });
}
