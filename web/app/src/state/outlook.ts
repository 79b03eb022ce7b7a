/** The plan in force and today's accounts, asked for anew each minute. */

import { computed } from "vue";
import { fetchPlan, fetchToday } from "../api/outlook";
import type { MoneyAnswer, PlanAnswer } from "../api/types";
import { usePolled } from "./polled";

const REFRESH_MS = 60_000;

export function useOutlook() {
  const plan = usePolled<PlanAnswer | null>("plan", REFRESH_MS, fetchPlan, undefined, "steer");
  const today = usePolled<MoneyAnswer>("today", REFRESH_MS, fetchToday, undefined, "history");
  return {
    plan: plan.value,
    planError: plan.error,
    today: today.value,
    todayError: today.error,
    /** The home's time zone; empty, which means the browser's own, until the hub has said. */
    zone: computed(() => today.value.value?.time_zone || plan.value.value?.time_zone || ""),
    refresh: async () => {
      await Promise.all([plan.load(), today.load()]);
    },
  };
}
