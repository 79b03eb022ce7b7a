/** Who looks at the page, and what their role in the home allows. */

import { readonly, shallowRef, type ShallowRef } from "vue";
import { api, ApiError, ask as answerOf } from "../api/client";
import type { MeAnswer, Right, Role } from "../api/schema";

/** What the hub says of who looks, from `GET /api/me`; `name` is null for somebody unknown. */
export type Me = MeAnswer;
export type { Right, Role };

const me = shallowRef<Me | null>(null);
let asked: Promise<void> | null = null;

/** Ask the hub (again) who it takes us for; a hub out of reach changes nothing. */
export async function loadMe(): Promise<void> {
  asked = ask();
  await asked;
}

async function ask(): Promise<void> {
  try {
    me.value = await answerOf(api.GET("/api/me"));
  } catch (reason) {
    if (!(reason instanceof ApiError)) throw reason;
    asked = null;
  }
}

/** Whether who looks may do something, once the hub has said; where it does not say, it refuses. */
export async function allowed(right: Right): Promise<boolean> {
  const { me: who, may, loaded } = useMe();
  await loaded();
  return who.value === null || may(right);
}

/** Take what the hub answered to logging in or out. */
export function takeMe(answer: Me): void {
  me.value = answer;
  asked = Promise.resolve();
}

/** Who looks, null until the hub has said; and whether they may do what needs a right. */
export function useMe(): {
  me: Readonly<ShallowRef<Me | null>>;
  may: (right: Right) => boolean;
  loaded: () => Promise<void>;
} {
  asked ??= ask();
  return {
    me: readonly(me) as Readonly<ShallowRef<Me | null>>,
    may: (right) => me.value?.rights.includes(right) ?? false,
    loaded: () => asked ?? ask(),
  };
}
