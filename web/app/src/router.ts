/** Which view stands at which path; all but the first are loaded when they are first asked for. */

import { createRouter, createWebHistory, START_LOCATION } from "vue-router";
import { VIEWS } from "./views";
import type { Right } from "./api/schema";
import HomeView from "./views/HomeView.vue";

declare module "vue-router" {
  interface RouteMeta {
    /** Key of the view's title in `locales/<language>/shell.json`. */
    title: string;
    /** Whether it stands alone, without the way to the other views. */
    alone?: boolean;
    /** Without which it has nothing to show. */
    right?: Right;
  }
}

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/", component: HomeView, meta: { title: "shell.home" } },
    { path: "/devices", component: VIEWS["/devices"], meta: { title: "shell.devices" } },
    {
      path: "/devices/add",
      component: VIEWS["/devices/add"],
      meta: { title: "shell.add", right: "set up" },
    },
    {
      path: "/devices/:id",
      component: VIEWS["/devices/:id"],
      props: true,
      meta: { title: "shell.devices" },
    },
    { path: "/car", component: VIEWS["/car"], meta: { title: "shell.car" } },
    { path: "/programmes", component: VIEWS["/programmes"], meta: { title: "shell.programmes" } },
    {
      path: "/history",
      component: VIEWS["/history"],
      meta: { title: "shell.history", right: "history" },
    },
    { path: "/bill", component: VIEWS["/bill"], meta: { title: "shell.bill", right: "history" } },
    { path: "/privacy", component: VIEWS["/privacy"], meta: { title: "shell.privacy" } },
    { path: "/people", component: VIEWS["/people"], meta: { title: "shell.people" } },
    {
      path: "/settings",
      component: VIEWS["/settings"],
      meta: { title: "shell.settings", right: "set up" },
    },
    { path: "/phone", component: VIEWS["/phone"], meta: { title: "shell.phone" } },
    { path: "/more", component: VIEWS["/more"], meta: { title: "shell.more" } },
    { path: "/setup", component: VIEWS["/setup"], meta: { title: "shell.setup", alone: true } },
    { path: "/login", component: VIEWS["/login"], meta: { title: "shell.login", alone: true } },
    {
      path: "/:rest(.*)*",
      component: () => import("./views/NotFoundView.vue"),
      meta: { title: "shell.notFound" },
    },
  ],
  // The first view stands at its top already; to ask for that would lay it out once more.
  scrollBehavior: (_to, from, saved) => saved ?? (from === START_LOCATION ? false : { top: 0 }),
});
