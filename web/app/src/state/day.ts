/** The day shown in the chart, fetched anew each minute while it is today. */

import { onScopeDispose, ref, shallowRef } from "vue";
import { ApiError, history } from "../api/client";
import type { HistoryAnswer } from "../api/types";

const REFRESH_MS = 60_000;

export function useDay() {
  const day = shallowRef<HistoryAnswer | null>(null);
  const error = ref("");
  let wanted: string | null = null;
  let request = new AbortController();

  async function load(): Promise<void> {
    request.abort();
    const mine = (request = new AbortController());
    try {
      day.value = await history(wanted, mine.signal);
      error.value = "";
    } catch (reason) {
      if (mine.signal.aborted) return;
      if (!(reason instanceof ApiError)) throw reason;
      error.value = reason.message;
    }
  }

  /** Show a day, ISO 8601; today stays today past midnight. */
  function show(next: string): void {
    wanted = next === day.value?.today ? null : next;
    void load();
  }

  const timer = window.setInterval(() => {
    if (wanted === null) void load();
  }, REFRESH_MS);
  onScopeDispose(() => {
    window.clearInterval(timer);
    request.abort();
  });
  void load();
  return { day, error, show };
}
