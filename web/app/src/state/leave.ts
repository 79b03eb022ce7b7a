/** Who is not known is led to the log-in page, and whoever leaves leaves nothing behind. */

import type { Router } from "vue-router";
import { api } from "../api/client";
import { endSession } from "../api/people";
import { forgetKept } from "./kept";
import { loadMe, useMe } from "./me";

const LOGIN = "/login";
/** Where nobody has to be known. */
const OPEN = new Set([LOGIN, "/setup", "/trust"]);

/** Return a place of this page to go to after logging in; never one elsewhere. */
export function safePlace(asked: unknown): string {
  if (typeof asked !== "string" || !/^\/(?![/\\])/.test(asked)) return "/";
  return asked.startsWith(LOGIN) ? "/" : asked;
}

/** Lead whoever is not known to the log-in page, at each step and when the hub says so. */
export function guard(router: Router): void {
  const { me, loaded } = useMe();

  async function known(): Promise<boolean> {
    await loaded();
    // A hub out of reach says nothing; the page then shows what it last knew.
    return me.value === null || me.value.name !== null;
  }

  router.beforeEach(async (to, from) => {
    if (OPEN.has(to.path)) return true;
    if (from.matched.length === 0) {
      // The first page does not wait for this on a slow line: the hub shows nothing to strangers.
      void router.isReady().then(() => look());
      if (to.meta.right !== undefined) await loaded(); // what may not be seen is not asked for
      return true;
    }
    if (await known()) return true;
    forgetKept();
    return { path: LOGIN, query: { to: to.fullPath } };
  });

  api.use({
    async onResponse({ response, schemaPath }) {
      if (response.status !== 401 || OPEN.has(router.currentRoute.value.path)) return;
      if (schemaPath === "/api/login" || schemaPath === "/api/login/passkey") return;
      await look(true);
    },
  });

  async function look(again = false): Promise<void> {
    if (again) await loadMe();
    const at = router.currentRoute.value;
    if (OPEN.has(at.path) || (await known())) return;
    forgetKept();
    await router.push({ path: LOGIN, query: { to: at.fullPath } });
  }

  // A session that ended elsewhere shows as a live line that breaks; ask when somebody looks again.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void look(true);
  });
}

/** End the session and begin anew: nothing of it stays in this window or this browser. */
export async function logOut(): Promise<void> {
  await endSession();
  forgetKept();
  window.location.assign(LOGIN);
}
