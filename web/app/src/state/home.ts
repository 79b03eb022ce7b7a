/** The page's one state: the last snapshot, how old it is, and whether the line to the hub lives. */

import {
  computed,
  inject,
  onScopeDispose,
  provide,
  readonly,
  ref,
  shallowRef,
  watch,
  type InjectionKey,
} from "vue";
import type { HomeAnswer } from "../api/types";
import { listen } from "../api/stream";
import { useI18n } from "../i18n";
import { keep, recall } from "./kept";

/** Seconds without a snapshot after which the page says that its figures are old. */
const OLD_S = 5;
/** How often the present snapshot is kept for when the hub is out of reach. */
const KEEP_MS = 10_000;
/** How long the hub is waited for before it is said to be out of reach: it may be starting anew. */
const PATIENCE_MS = 3_000;

const NAME = "home";

function makeHome() {
  const kept = recall<HomeAnswer>(NAME);
  const home = shallowRef<HomeAnswer | null>(kept?.value ?? null);
  const connected = ref(false);
  const startedMs = Date.now();
  /** Since when the hub is waited for, where it is. */
  const waitingMs = ref(startedMs);
  const receivedMs = ref(kept?.cameMs ?? 0);
  const nowMs = ref(startedMs);
  /** When the snapshot came that is kept by now. */
  let keptMs = receivedMs.value;

  function take(next: HomeAnswer): void {
    home.value = next;
    connected.value = true;
    receivedMs.value = nowMs.value = Date.now();
    if (receivedMs.value - keptMs >= KEEP_MS) keepNow();
  }

  function keepNow(): void {
    if (home.value === null || receivedMs.value === keptMs) return;
    keptMs = receivedMs.value;
    keep(NAME, home.value, keptMs);
  }

  const line = {
    snapshot: take,
    lost() {
      if (connected.value) waitingMs.value = nowMs.value = Date.now();
      connected.value = false;
    },
  };
  let stop = listen(line);
  // The hub tells its sentences in the language of who listens.
  const { locale } = useI18n();
  watch(locale, () => {
    stop();
    stop = listen(line);
  });
  const tick = window.setInterval(() => {
    nowMs.value = Date.now();
  }, 1000);
  window.addEventListener("pagehide", keepNow);
  onScopeDispose(() => {
    stop();
    window.clearInterval(tick);
    window.removeEventListener("pagehide", keepNow);
  });

  /** Seconds since the last snapshot came. */
  const ageS = computed(() => Math.max(0, (nowMs.value - receivedMs.value) / 1000));
  const fresh = computed(() => connected.value && ageS.value < OLD_S);
  return {
    home: readonly(home) as typeof home,
    ageS,
    fresh,
    /** Whether the hub is out of reach, and not just about to answer. */
    away: computed(() => !fresh.value && nowMs.value - waitingMs.value > PATIENCE_MS),
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
