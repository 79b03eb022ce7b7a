/** Installing the page as an app, where the browser offers it. */

import { readonly, ref } from "vue";

interface InstallOffer extends Event {
  prompt(): Promise<void>;
}

const offer = ref<InstallOffer | null>(null);
const done = ref(false);

window.addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  offer.value = event as InstallOffer;
});
window.addEventListener("appinstalled", () => {
  offer.value = null;
  done.value = true;
});

/** Whether the browser offers it. */
export const offered = readonly(offer);
/** Whether it was done just now. */
export const installed = readonly(done);

/** Whether the page runs as an app. */
export function runsAsApp(): boolean {
  return window.matchMedia("(display-mode: standalone)").matches;
}

/** Have the browser ask its user. */
export async function install(): Promise<void> {
  await offer.value?.prompt();
  offer.value = null;
}
