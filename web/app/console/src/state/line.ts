/** Whether the server answers at present, as all that ask it find. */

import { readonly, ref } from "vue";

const lost = ref(false);

/** Whether the last question found no server. */
export const lineLost = readonly(lost);

/** Note whether the server has answered. */
export function heard(answered: boolean): void {
  lost.value = !answered;
}
