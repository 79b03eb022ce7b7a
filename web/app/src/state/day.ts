/** What was measured in the time that the timeline shows, fetched anew each minute while it is now. */

import { computed, ref, watch, type Ref } from "vue";
import { fetchMeasured, fetchQuarters, type Between } from "../api/outlook";
import type { HistoryAnswer, MoneyAnswer } from "../api/types";
import { rolling, type Frame } from "../logic/timeline";
import { shiftDay } from "../logic/format";
import { usePolled } from "./polled";

const REFRESH_MS = 60_000;
const QUARTERS_REFRESH_MS = 5 * REFRESH_MS;
const QUARTER_S = 900;

/**
 * @param now The hub's present time, UTC epoch seconds; 0 while it is not known.
 * @param live Whether that time is told by the hub itself and not by what was kept.
 */
export function useDay(now: Ref<number>, live: Ref<boolean>) {
  /** The day that is looked back on, ISO 8601; null for the window that rolls with time. */
  const past = ref<string | null>(null);

  function window(): Between | undefined {
    if (!live.value) return undefined;
    const { start, now: end } = rolling(now.value);
    return { start: Math.floor(start / QUARTER_S) * QUARTER_S, end };
  }

  const day = usePolled<HistoryAnswer>(
    "day",
    REFRESH_MS,
    (signal) => {
      const what = past.value ?? window();
      return what === undefined ? undefined : fetchMeasured(what, signal);
    },
    () => past.value === null,
    "history",
  );
  const quarters = usePolled<MoneyAnswer>(
    "quarters",
    QUARTERS_REFRESH_MS,
    (signal) => {
      const between = past.value === null ? window() : looked();
      return between === undefined ? undefined : fetchQuarters(between, signal);
    },
    () => past.value === null,
    "history",
  );

  /** The day looked back on, once it is there. */
  function looked(): Between | undefined {
    const found = day.value.value;
    if (found === null || found.day !== past.value) return undefined;
    return { start: found.start, end: found.end };
  }

  watch(live, (isLive, was) => {
    if (isLive && !was) void load();
  });

  async function load(): Promise<void> {
    await Promise.all([day.load(), past.value === null ? quarters.load() : undefined]);
    if (past.value !== null) await quarters.load();
  }

  /** Look at the whole of today first, from there at the day before or after the one shown. */
  function turn(by: number): void {
    const today = day.value.value?.today;
    if (today === undefined) return;
    const next = past.value === null ? today : shiftDay(past.value, by);
    past.value = next > today ? null : next;
    void load();
  }

  const frame = computed<Frame>(() => {
    const found = day.value.value;
    if (past.value !== null && found !== null && found.day === past.value) {
      return { start: found.start, end: found.end, now: now.value };
    }
    return rolling(now.value);
  });

  return {
    day: day.value,
    error: day.error,
    accounts: computed(() => quarters.value.value?.periods ?? []),
    past,
    frame,
    turn,
    back: () => {
      past.value = null;
      void load();
    },
  };
}
