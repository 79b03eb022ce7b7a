/** The groups of the fleet, read once for all views and again when somebody asks for them anew. */

import { computed, ref, shallowRef, type ComputedRef, type Ref } from "vue";
import { ApiError } from "../api/client";
import { allGroups } from "../api/fleet";
import type { GroupOut } from "../api/types";
import { treeOf, type Tree } from "../logic/tree";
import { heard } from "./line";

const groups = shallowRef<readonly GroupOut[] | null>(null);
const tree = computed(() => treeOf(groups.value ?? []));
const error = ref("");
const OLD_MS = 60_000;
let readMs = -Infinity;

async function load(): Promise<void> {
  readMs = performance.now();
  try {
    groups.value = await allGroups();
    error.value = "";
    heard(true);
  } catch (reason) {
    if (!(reason instanceof ApiError)) throw reason;
    readMs = -Infinity;
    error.value = reason.message;
    heard(reason.status !== 0);
  }
}

/** Whether they have been read, the groups as a tree, and why they could not be read. */
export function useGroups(): {
  read: ComputedRef<boolean>;
  tree: ComputedRef<Tree>;
  error: Ref<string>;
  load: () => Promise<void>;
} {
  if (performance.now() - readMs > OLD_MS) void load();
  return { read: computed(() => groups.value !== null), tree, error, load };
}
