/** Something that is done on a press: whether it is under way, and why it failed. */

import { ref, type Ref } from "vue";
import { ApiError } from "../api/client";

export interface Doing {
  busy: Ref<boolean>;
  /** Why it failed, in one sentence; empty if it did not. */
  error: Ref<string>;
  /** Do something; returns whether it went well. */
  run: (what: () => Promise<unknown>) => Promise<boolean>;
}

export function useDoing(): Doing {
  const busy = ref(false);
  const error = ref("");

  async function run(what: () => Promise<unknown>): Promise<boolean> {
    busy.value = true;
    error.value = "";
    try {
      await what();
      return true;
    } catch (reason) {
      if (!(reason instanceof ApiError)) throw reason;
      error.value = reason.message;
      return false;
    } finally {
      busy.value = false;
    }
  }
  return { busy, error, run };
}
