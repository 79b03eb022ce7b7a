/** Which view stands at which path, and who is led to the log-in page. */

import { createRouter, createWebHistory, type RouteLocationRaw } from "vue-router";
import { api, ApiError, UNKNOWN } from "./api/client";
import { heard } from "./state/line";
import { forgetMe, loadMe, useMe, type Role } from "./state/me";
import OverviewView from "./views/OverviewView.vue";

declare module "vue-router" {
  interface RouteMeta {
    /** Key of the view's title. */
    title: string;
    /** Whether it stands alone, for those who are not known yet. */
    alone?: boolean;
    /** Whom it is for; everybody where it is not said. */
    roles?: readonly Role[];
  }
}

const LOGIN = "/login";

export const router = createRouter({
  history: createWebHistory(import.meta.env.BASE_URL),
  routes: [
    { path: "/", component: OverviewView, meta: { title: "shell.overview" } },
    { path: "/groups", component: () => import("./views/GroupsView.vue"), meta: { title: "shell.groups" } },
    { path: "/events", component: () => import("./views/EventsView.vue"), meta: { title: "shell.events" } },
    {
      path: "/events/new",
      component: () => import("./views/NewEventView.vue"),
      meta: { title: "shell.newEvent", roles: ["dispatcher"] },
    },
    {
      path: "/events/:id",
      component: () => import("./views/EventView.vue"),
      props: true,
      meta: { title: "shell.event" },
    },
    { path: "/hubs", component: () => import("./views/HubsView.vue"), meta: { title: "shell.hubs" } },
    {
      path: "/hubs/:id",
      component: () => import("./views/HubView.vue"),
      props: true,
      meta: { title: "shell.hub" },
    },
    {
      path: "/trail",
      component: () => import("./views/TrailView.vue"),
      meta: { title: "shell.trail", roles: ["auditor", "admin"] },
    },
    { path: LOGIN, component: () => import("./views/LoginView.vue"), meta: { title: "shell.login", alone: true } },
    {
      path: "/:rest(.*)*",
      component: () => import("./views/NotFoundView.vue"),
      meta: { title: "shell.notFound" },
    },
  ],
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
});

const { me } = useMe();

function login(to: string): RouteLocationRaw {
  return { path: LOGIN, query: to === "/" ? {} : { to } };
}

/** Return a place of the console to go to after logging in; never one elsewhere. */
export function safePlace(asked: unknown): string {
  if (typeof asked !== "string" || !/^\/(?![/\\])/.test(asked)) return "/";
  return asked.startsWith(LOGIN) ? "/" : asked;
}

router.beforeEach(async (to) => {
  if (me.value !== null || to.path === LOGIN) return true;
  try {
    await loadMe();
    heard(true);
  } catch (reason) {
    if (!(reason instanceof ApiError)) throw reason;
    heard(reason.status !== 0);
  }
  return me.value === null ? login(to.fullPath) : true;
});

// A session that has ended elsewhere is noticed by whatever is asked next.
api.use({
  async onResponse({ response }) {
    const at = router.currentRoute.value;
    if (response.status !== UNKNOWN || at.path === LOGIN) return;
    forgetMe();
    await router.push(login(at.fullPath));
  },
});
