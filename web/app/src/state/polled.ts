/** An answer of the hub that is asked for again and again while the page is looked at. */

import { onScopeDispose, ref, shallowRef, type Ref, type ShallowRef } from "vue";
import { ApiError } from "../api/client";
import { t } from "../i18n";
import { keep, recall } from "./kept";
import { allowed, type Right } from "./me";

export interface Polled<T> {
  /** The last answer, perhaps one that was kept; null before the first. */
  value: ShallowRef<T | null>;
  /** Why the last question failed, for the reader; empty if it did not. */
  error: Ref<string>;
  /** Status of that failure; 0 where the hub did not answer. */
  status: Ref<number>;
  /** Ask at once. */
  load: () => Promise<void>;
}

/** Not allowed: asking again would not help. */
const FORBIDDEN = 403;
const KEEP_ALL = (): boolean => true;

/**
 * Ask every `everyMs`, and when the page is looked at again after that time.
 *
 * @param name Under which the answer is kept for when the hub is out of reach.
 * @param fetch Asks; returns undefined where there is nothing to ask yet.
 * @param keeps Whether an answer is to be kept.
 * @param right What it takes; who does not have it is not asked for it.
 */
export function usePolled<T>(
  name: string,
  everyMs: number,
  fetch: (signal: AbortSignal) => Promise<T> | undefined,
  keeps: () => boolean = KEEP_ALL,
  right?: Right,
): Polled<T> {
  const value = shallowRef<T | null>(recall<T>(name)?.value ?? null);
  const error = ref("");
  const status = ref(0);
  let request = new AbortController();
  let askedMs = -Infinity;

  async function load(): Promise<void> {
    request.abort();
    const mine = (request = new AbortController());
    if (right !== undefined && !(await allowed(right))) {
      error.value = t("shell.notAllowed");
      status.value = FORBIDDEN;
      return;
    }
    if (mine.signal.aborted) return;
    const asked = fetch(mine.signal);
    if (asked === undefined) return;
    askedMs = performance.now();
    try {
      const answer = await asked;
      if (mine.signal.aborted) return;
      value.value = answer;
      error.value = "";
      if (keeps()) keep(name, answer);
    } catch (reason) {
      if (mine.signal.aborted) return;
      if (!(reason instanceof ApiError)) throw reason;
      error.value = reason.message;
      status.value = reason.status;
    }
  }

  function due(): void {
    if (error.value !== "" && status.value === FORBIDDEN) return;
    if (!document.hidden && performance.now() - askedMs >= everyMs) void load();
  }

  const timer = window.setInterval(due, Math.min(everyMs, 5_000));
  document.addEventListener("visibilitychange", due);
  onScopeDispose(() => {
    window.clearInterval(timer);
    document.removeEventListener("visibilitychange", due);
    request.abort();
  });
  void load();
  return { value, error, status, load };
}
