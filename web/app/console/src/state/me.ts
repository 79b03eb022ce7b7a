/** Who works at the console, and what their roles allow. */

import { computed, readonly, shallowRef, type ComputedRef, type ShallowRef } from "vue";
import { api, ApiError, ask, keepProof, UNKNOWN } from "../api/client";
import type { SessionOut } from "../api/types";

export type Role = SessionOut["roles"][number];

const me = shallowRef<SessionOut | null>(null);

function take(session: SessionOut | null): void {
  me.value = session;
  keepProof(session?.csrf ?? "");
}

/** Ask who the server takes us for; nobody, where it does not know us. */
export async function loadMe(): Promise<void> {
  try {
    take(await ask(api.GET("/session")));
  } catch (reason) {
    if (!(reason instanceof ApiError)) throw reason;
    if (reason.status === UNKNOWN) take(null);
    else throw reason;
  }
}

export async function logIn(name: string, password: string): Promise<void> {
  take(await ask(api.POST("/session", { body: { name, password } })));
}

/** End the session, and begin anew: nothing of it stays in this window. */
export async function logOut(): Promise<void> {
  try {
    await ask(api.DELETE("/session"));
  } catch (reason) {
    if (!(reason instanceof ApiError && reason.status === UNKNOWN)) throw reason;
  }
  window.location.assign(`${import.meta.env.BASE_URL}login`);
}

/** Note that the server knows us no more. */
export function forgetMe(): void {
  take(null);
}

/** Who works here, null for nobody; and whether they have one of some roles. */
export function useMe(): {
  me: Readonly<ShallowRef<SessionOut | null>>;
  may: (...roles: Role[]) => boolean;
  dispatches: ComputedRef<boolean>;
} {
  const may = (...roles: Role[]) => roles.some((role) => me.value?.roles.includes(role) ?? false);
  return {
    me: readonly(me) as Readonly<ShallowRef<SessionOut | null>>,
    may,
    dispatches: computed(() => may("dispatcher")),
  };
}
