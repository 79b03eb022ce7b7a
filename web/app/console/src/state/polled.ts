/** An answer of the server that is asked for again and again while the page is looked at. */

import { onScopeDispose, ref, shallowRef, type Ref, type ShallowRef } from "vue";
import { ApiError } from "../api/client";
import { heard } from "./line";

export interface Polled<T> {
  /** The last answer; null before the first. It stays while the server does not answer. */
  value: ShallowRef<T | null>;
  /** Why the last question failed, for the reader; empty if it did not. */
  error: Ref<string>;
  /** Ask at once. */
  load: () => Promise<void>;
}

/** Where a question fails, the next one waits this much longer. */
const PATIENCE = 3;

/**
 * Ask at once, and again `everyMs` after each answer while the page is looked at.
 *
 * @param fetch Asks; returns undefined where there is nothing to ask yet.
 * @param everyMs How long to wait after an answer; 0 to ask only when told.
 */
export function usePolled<T>(
  fetch: (signal: AbortSignal) => Promise<T> | undefined,
  everyMs: number | (() => number),
): Polled<T> {
  const value = shallowRef<T | null>(null);
  const error = ref("");
  let request = new AbortController();
  let timer: number | undefined;
  let over = false;

  async function load(): Promise<void> {
    window.clearTimeout(timer);
    request.abort();
    const mine = (request = new AbortController());
    const asked = fetch(mine.signal);
    if (asked === undefined) {
      value.value = null;
      error.value = "";
      return;
    }
    try {
      const answer = await asked;
      if (mine.signal.aborted) return;
      value.value = answer;
      error.value = "";
      heard(true);
    } catch (reason) {
      if (mine.signal.aborted) return;
      if (!(reason instanceof ApiError)) throw reason;
      error.value = reason.message;
      heard(reason.status !== 0);
    }
    again();
  }

  function again(): void {
    const wait = typeof everyMs === "function" ? everyMs() : everyMs;
    if (over || wait === 0) return;
    timer = window.setTimeout(() => {
      if (!document.hidden) void load();
    }, error.value === "" ? wait : wait * PATIENCE);
  }

  function seen(): void {
    if (!document.hidden) void load();
  }

  document.addEventListener("visibilitychange", seen);
  window.addEventListener("online", seen);
  onScopeDispose(() => {
    over = true;
    window.clearTimeout(timer);
    document.removeEventListener("visibilitychange", seen);
    window.removeEventListener("online", seen);
    request.abort();
  });
  void load();
  return { value, error, load };
}
