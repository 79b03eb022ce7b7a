/** The page's one state: the last snapshot, how old it is, and whether the line to the hub lives. */

import {
  computed,
  inject,
  onScopeDispose,
  provide,
  readonly,
  ref,
  shallowRef,
  type InjectionKey,
} from "vue";
import type { HomeAnswer } from "../api/types";
import { listen } from "../api/stream";

/** Seconds without a snapshot after which the page says that its figures are old. */
const OLD_S = 5;

function makeHome() {
  const home = shallowRef<HomeAnswer | null>(null);
  const connected = ref(false);
  const receivedMs = ref(0);
  const nowMs = ref(performance.now());

  const stop = listen({
    snapshot(next) {
      home.value = next;
      connected.value = true;
      receivedMs.value = nowMs.value = performance.now();
    },
    lost() {
      connected.value = false;
    },
  });
  const tick = window.setInterval(() => {
    nowMs.value = performance.now();
  }, 1000);
  onScopeDispose(() => {
    stop();
    window.clearInterval(tick);
  });

  /** Seconds since the last snapshot came. */
  const ageS = computed(() => Math.max(0, (nowMs.value - receivedMs.value) / 1000));
  return {
    home: readonly(home) as typeof home,
    ageS,
    fresh: computed(() => connected.value && ageS.value < OLD_S),
    /** The hub's present time, UTC epoch seconds: its clock counts, not this browser's. */
    hubNow: computed(() => (home.value === null ? 0 : home.value.at + ageS.value)),
  };
}

type HomeState = ReturnType<typeof makeHome>;
const HOME: InjectionKey<HomeState> = Symbol("home");

/** Open the one line to the hub; every view below sees the same state. */
export function provideHome(): HomeState {
  const made = makeHome();
  provide(HOME, made);
  return made;
}

/** The state that the page's root has opened. */
export function useHome(): HomeState {
  const found = inject(HOME);
  if (found === undefined) throw new Error("no home is provided above this component");
  return found;
}
