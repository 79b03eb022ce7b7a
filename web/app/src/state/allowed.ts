/** What the page offers to whoever looks: all until the hub has said who that is; it refuses. */

import { computed, type ComputedRef } from "vue";
import { useMe, type Right } from "./me";

export function useAllowed(right: Right): ComputedRef<boolean> {
  const { me, may } = useMe();
  return computed(() => me.value === null || may(right));
}
