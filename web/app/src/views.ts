/** Where each view but the first is found: asked for with the page's own script where it is asked for first. */

import type { Component } from "vue";

type View = () => Promise<{ default: Component }>;

/** By path, as `router.ts` has them. */
export const VIEWS = {
  "/devices": () => import("./views/DevicesView.vue"),
  "/devices/add": () => import("./views/DeviceAddView.vue"),
  "/devices/:id": () => import("./views/DeviceView.vue"),
  "/car": () => import("./views/CarView.vue"),
  "/programmes": () => import("./views/ProgrammesView.vue"),
  "/history": () => import("./views/HistoryView.vue"),
  "/bill": () => import("./views/BillView.vue"),
  "/privacy": () => import("./views/PrivacyView.vue"),
  "/people": () => import("./views/PeopleView.vue"),
  "/settings": () => import("./views/SettingsView.vue"),
  "/phone": () => import("./views/PhoneView.vue"),
  "/more": () => import("./views/MoreView.vue"),
  "/setup": () => import("./views/SetupView.vue"),
  "/login": () => import("./views/LoginView.vue"),
} satisfies Record<string, View>;

/** Load the view at a path now; paths that stand for many wait for the router. */
export function viewAhead(path: string): void {
  const view = new Map<string, View>(Object.entries(VIEWS)).get(path);
  view?.().catch(() => undefined); // asked for again, and missed, by the router
}
