/** The service worker from the page's side: registered once, and what it has to announce. */

import { readonly, ref } from "vue";

/** How often a page that stays open asks for a new version. */
const LOOK_MS = 6 * 3600 * 1000;

const update = ref(false);
const refused = ref(false);
let waiting: ServiceWorker | null = null;
let registered: Promise<ServiceWorkerRegistration | null> | null = null;

/** Whether a new version waits to be taken. */
export const newVersion = readonly(update);
/** Whether the browser let no worker in, as it does where the certificate is not trusted. */
export const workerRefused = readonly(refused);

/** Whether a browser would let a worker in here at all. */
export function workersPossible(): boolean {
  return window.isSecureContext && "serviceWorker" in navigator;
}

/** Register the worker, once for the page; null where that is not possible. */
export async function worker(): Promise<ServiceWorkerRegistration | null> {
  if (!workersPossible() || import.meta.env.DEV) return null;
  registered ??= register();
  return registered;
}

async function register(): Promise<ServiceWorkerRegistration | null> {
  try {
    const found = await navigator.serviceWorker.register("/sw.js", { updateViaCache: "none" });
    look(found);
    window.setInterval(() => void found.update().catch(() => undefined), LOOK_MS);
    return found;
  } catch (error) {
    // SecurityError: a certificate that was only waved through; TypeError: the hub went away.
    refused.value = error instanceof DOMException && error.name === "SecurityError";
    registered = null;
    return null;
  }
}

function look(found: ServiceWorkerRegistration): void {
  const tell = (): void => {
    // Without one in charge this is the first, and there is nothing older to be replaced.
    if (found.waiting === null || navigator.serviceWorker.controller === null) return;
    waiting = found.waiting;
    update.value = true;
  };
  tell();
  found.addEventListener("updatefound", () => {
    found.installing?.addEventListener("statechange", tell);
  });
}

/** Take the new version: the page is loaded anew by it. */
export function takeNewVersion(): void {
  navigator.serviceWorker.addEventListener("controllerchange", () => window.location.reload(), {
    once: true,
  });
  waiting?.postMessage("take over");
}

/** Leave it for later; it is taken when all of the page's windows have been closed. */
export function leaveNewVersion(): void {
  update.value = false;
}
