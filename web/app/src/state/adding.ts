/** The search for devices and the one that joins, as the hub tells them while they go on. */

import { onScopeDispose, shallowRef } from "vue";
import { fetchJoin, fetchSearch } from "../api/devices";
import { ApiError } from "../api/client";
import type { JoinAnswer, SearchAnswer } from "../api/types";

const EVERY_MS = 700;
/** States in which something goes on by itself. */
const LIVELY = new Set(["looking", "drafting", "taking", "moving"]);

export function useAdding() {
  const search = shallowRef<SearchAnswer | null>(null);
  const join = shallowRef<JoinAnswer | null>(null);
  let timer = 0;
  let over = false;

  async function look(): Promise<void> {
    window.clearTimeout(timer);
    try {
      [search.value, join.value] = await Promise.all([fetchSearch(), fetchJoin()]);
    } catch (reason) {
      if (!(reason instanceof ApiError)) throw reason; // the hub is away: it is asked again
    }
    const lively = [search.value?.state, join.value?.state].some((s) => LIVELY.has(s ?? ""));
    if (!over) timer = window.setTimeout(() => void look(), lively ? EVERY_MS : EVERY_MS * 6);
  }

  onScopeDispose(() => {
    over = true;
    window.clearTimeout(timer);
  });
  void look();
  return { search, join, look };
}
