/** Where each view is found; all but the first are loaded when they are first asked for. */

import { createRouter, createWebHistory } from "vue-router";
import HomeView from "./views/HomeView.vue";

declare module "vue-router" {
  interface RouteMeta {
    /** Key of the view's title in `locales/<language>/shell.json`. */
    title: string;
    /** Whether it stands alone, without the way to the other views. */
    alone?: boolean;
  }
}

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/", component: HomeView, meta: { title: "shell.home" } },
    {
      path: "/devices",
      component: () => import("./views/DevicesView.vue"),
      meta: { title: "shell.devices" },
    },
    {
      path: "/devices/add",
      component: () => import("./views/DeviceAddView.vue"),
      meta: { title: "shell.add" },
    },
    {
      path: "/devices/:id",
      component: () => import("./views/DeviceView.vue"),
      props: true,
      meta: { title: "shell.devices" },
    },
    { path: "/car", component: () => import("./views/CarView.vue"), meta: { title: "shell.car" } },
    {
      path: "/programmes",
      component: () => import("./views/ProgrammesView.vue"),
      meta: { title: "shell.programmes" },
    },
    {
      path: "/history",
      component: () => import("./views/HistoryView.vue"),
      meta: { title: "shell.history" },
    },
    {
      path: "/bill",
      component: () => import("./views/BillView.vue"),
      meta: { title: "shell.bill" },
    },
    {
      path: "/privacy",
      component: () => import("./views/PrivacyView.vue"),
      meta: { title: "shell.privacy" },
    },
    {
      path: "/people",
      component: () => import("./views/PeopleView.vue"),
      meta: { title: "shell.people" },
    },
    {
      path: "/settings",
      component: () => import("./views/SettingsView.vue"),
      meta: { title: "shell.settings" },
    },
    {
      path: "/phone",
      component: () => import("./views/PhoneView.vue"),
      meta: { title: "shell.phone" },
    },
    {
      path: "/more",
      component: () => import("./views/MoreView.vue"),
      meta: { title: "shell.more" },
    },
    {
      path: "/setup",
      component: () => import("./views/SetupView.vue"),
      meta: { title: "shell.setup", alone: true },
    },
    {
      path: "/login",
      component: () => import("./views/LoginView.vue"),
      meta: { title: "shell.login", alone: true },
    },
    {
      path: "/:rest(.*)*",
      component: () => import("./views/NotFoundView.vue"),
      meta: { title: "shell.notFound" },
    },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
});
