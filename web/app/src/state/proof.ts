/** Proving once more who one is, before what cannot be taken back: asked for once, for all that wait. */

import { computed, shallowRef } from "vue";

interface Waiting {
  given: Promise<boolean>;
  end: (given: boolean) => void;
}

const waiting = shallowRef<Waiting | null>(null);

/** Whether the reader is asked for their password now. */
export const proofAsked = computed(() => waiting.value !== null);

/** Ask the reader for their password; returns whether they gave it. */
export function askProof(): Promise<boolean> {
  waiting.value ??= begun();
  return waiting.value.given;
}

function begun(): Waiting {
  let end: Waiting["end"] = () => undefined;
  const given = new Promise<boolean>((resolve) => {
    end = resolve;
  });
  return { given, end };
}

/** End the asking: the password was given and is right, or the reader would rather not. */
export function endProof(given: boolean): void {
  waiting.value?.end(given);
  waiting.value = null;
}
