/** A hub that is not set up yet leads to the guided path, once. */

import { watch } from "vue";
import { useRoute, useRouter } from "vue-router";
import { useMe } from "./me";

export function useFirstStart(): void {
  const { me } = useMe();
  const route = useRoute();
  const router = useRouter();
  const stop = watch(
    me,
    (now) => {
      if (now === null) return;
      queueMicrotask(() => stop());
      const nobodyYet = !now.accounts && now.way === null;
      if ((!now.set_up || nobodyYet) && route.path === "/") void router.replace("/setup");
    },
    { immediate: true },
  );
}
