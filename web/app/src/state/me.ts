/** Who looks at the page, and what their role in the home allows. */

import { readonly, shallowRef, type ShallowRef } from "vue";

/** What may be allowed or not; as in `hems/access/rights.py`. */
export type Right =
  | "anybody"
  | "see"
  | "history"
  | "steer"
  | "agree"
  | "grant"
  | "set up"
  | "audit"
  | "own";

export type Role = "owner" | "household" | "installer" | "provider" | "aggregator" | "auditor";

/** What `GET /api/me` answers. */
export interface Me {
  /** By which the home knows them; null for somebody who has not logged in. */
  name: string | null;
  role: Role | null;
  rights: Right[];
  /** How they got in: "session" can be logged out of, "here" is this machine before any account. */
  way: "session" | "token" | "machine" | "here" | null;
  /** Whether the home has accounts: if not, the first one is to be made. */
  accounts: boolean;
  /** Whether making the first account takes the code that the hub shows on its own machine. */
  code_needed: boolean;
  /** Whether the hub's set-up has been gone through. */
  set_up: boolean;
  /** Language of the account; empty where none was chosen. */
  language: string;
  /** When the account ends, UTC epoch seconds. */
  until: number | null;
}

const me = shallowRef<Me | null>(null);
let asked: Promise<void> | null = null;

/** Ask the hub (again) who it takes us for; a hub out of reach changes nothing. */
export async function loadMe(): Promise<void> {
  asked = ask();
  await asked;
}

async function ask(): Promise<void> {
  try {
    const answer = await fetch("/api/me", { headers: { Accept: "application/json" } });
    if (answer.ok) me.value = (await answer.json()) as Me;
    else asked = null;
  } catch {
    asked = null;
  }
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
