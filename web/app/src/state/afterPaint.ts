/** What stands below the first sight comes once that has been painted. */

import { readonly, ref, watch, type Ref } from "vue";

/** Whether something that is there has been painted; stays so from then on. */
export function useAfterPaint(there: () => boolean): Readonly<Ref<boolean>> {
  const painted = ref(false);
  const stop = watch(
    there,
    (now) => {
      if (!now) return;
      queueMicrotask(() => stop());
      // The frame is painted after its callbacks, so before the next task.
      window.requestAnimationFrame(() => window.setTimeout(() => (painted.value = true)));
    },
    { immediate: true },
  );
  return readonly(painted);
}
