/**
 * The service worker: keeps the page itself, never what the hub tells, and shows what is pushed.
 *
 * Everything that a version consists of is kept together and replaced together. The hub's figures
 * are none of its business: the page keeps the last ones itself, with their age.
 */

import { destination, noticeOf } from "../logic/pushed";

declare const self: ServiceWorkerGlobalScope;
declare const __SHELL__: readonly string[];
declare const __VERSION__: string;

const PREFIX = "shell-";
const KEPT = `${PREFIX}${__VERSION__}`;
const SHELL = new Set(__SHELL__);

self.addEventListener("install", (event) => {
  event.waitUntil(keepShell());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(dropOthers());
});

self.addEventListener("message", (event) => {
  // Said by the page when its reader has agreed: it is loaded anew then.
  if (event.data === "take over") void self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (SHELL.has(url.pathname) && url.pathname !== "/") event.respondWith(kept(url.pathname, request));
  else if (request.mode === "navigate" && isPlace(url.pathname)) event.respondWith(kept("/", request));
});

self.addEventListener("push", (event) => {
  const { title, ...options } = noticeOf(event.data?.text() ?? "");
  event.waitUntil(self.registration.showNotification(title, options));
});

self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(moved(event));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(destination(event.notification.data, self.location.origin)));
});

/** Whether a path is the page's own: neither the hub's nor a file's. */
function isPlace(path: string): boolean {
  const last = path.slice(path.lastIndexOf("/") + 1);
  return !/^\/(api|trust)(\/|$)/.test(path) && !last.includes(".");
}

async function keepShell(): Promise<void> {
  const cache = await caches.open(KEPT);
  // What has a hash in its name may come from the browser's own store, the rest must be the hub's.
  await cache.addAll(
    __SHELL__.map((path) => new Request(path, { cache: path.startsWith("/assets/") ? "default" : "no-cache" })),
  );
}

async function dropOthers(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== KEPT);
  await Promise.all(old.map((name) => caches.delete(name)));
}

async function kept(path: string, request: Request): Promise<Response> {
  const found = await caches.match(path, { cacheName: KEPT, ignoreVary: true });
  return found ?? fetch(request);
}

/** Tell the hub the new address that the push service has given this browser. */
async function moved({ oldSubscription, newSubscription }: PushSubscriptionChangeEvent): Promise<void> {
  const key = oldSubscription?.options.applicationServerKey;
  if (!key) return; // nobody knows what was wished: the page offers it anew
  const found =
    newSubscription ??
    (await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  const { endpoint, keys } = found.toJSON();
  await fetch("/api/push/moved", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ before: oldSubscription.endpoint, endpoint, keys }),
  });
}

async function open(address: string): Promise<void> {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages[0];
  if (page === undefined) {
    await self.clients.openWindow(address);
    return;
  }
  await page.focus();
  // A page that no worker controls yet cannot be sent elsewhere: then it is only brought forward.
  await page.navigate(address).catch(() => null);
}
