/** What the hub knows of a part of the past, asked for when the part changes. */

import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from "vue";
import { ApiError } from "../api/client";

export interface Past<T> {
  /** The last answer; it stays until the next has come. */
  value: ShallowRef<T | null>;
  /** Whether the next one is on its way. */
  busy: Ref<boolean>;
  /** Why the last question failed, for the reader; empty if it did not. */
  error: Ref<string>;
}

const FRESH_MS = 60_000;

/** Ask whenever the question changes, and each minute while the page is looked at. */
export function usePast<Question, Answer>(
  question: () => Question,
  fetch: (question: Question, signal: AbortSignal) => Promise<Answer>,
): Past<Answer> {
  const value = shallowRef<Answer | null>(null);
  const busy = ref(false);
  const error = ref("");
  let request = new AbortController();

  async function load(): Promise<void> {
    request.abort();
    const mine = (request = new AbortController());
    busy.value = true;
    try {
      const answer = await fetch(question(), mine.signal);
      if (mine.signal.aborted) return;
      value.value = answer;
      error.value = "";
    } catch (reason) {
      if (mine.signal.aborted) return;
      if (!(reason instanceof ApiError)) throw reason;
      error.value = reason.message;
    } finally {
      if (!mine.signal.aborted) busy.value = false;
    }
  }

  watch(() => JSON.stringify(question()), load, { immediate: true });
  const timer = window.setInterval(() => {
    if (!document.hidden) void load();
  }, FRESH_MS);
  onScopeDispose(() => {
    window.clearInterval(timer);
    request.abort();
  });
  return { value, busy, error };
}
