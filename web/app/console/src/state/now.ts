/** The present, told once a second to whoever shows it. */

import { onScopeDispose, ref, type Ref } from "vue";

const SECOND_MS = 1000;

/** Return the present, epoch seconds. */
export function useNow(): Ref<number> {
  const now = ref(Date.now() / SECOND_MS);
  const timer = window.setInterval(() => (now.value = Date.now() / SECOND_MS), SECOND_MS);
  onScopeDispose(() => window.clearInterval(timer));
  return now;
}
