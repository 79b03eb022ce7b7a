/** Orders that are carried out once, however often they have to be sent. */

import { ApiError } from "./client";

/** The header by which the door knows an order again. */
export interface Named {
  "Idempotency-Key": string;
}

const WAITS_MS = [1000, 2000, 4000, 8000];
/** No answer (0), or one that does not say whether it was done. */
const UNKNOWN = new Set([0, 502, 503, 504]);
const OCTETS = 16;

/** Return what names orders: by the same name while the same is asked, so that who presses again repeats. */
export function naming(): (asked: unknown) => Named {
  let last = "";
  let name = "";
  return (asked) => {
    const now = JSON.stringify(asked) ?? "";
    if (name === "" || now !== last) name = fresh();
    last = now;
    return { "Idempotency-Key": name };
  };
}

/** Send an order until it is answered, a few times at most. */
export async function untilAnswered<T>(send: () => Promise<T>, wait: (ms: number) => Promise<void> = pause): Promise<T> {
  for (const ms of WAITS_MS) {
    try {
      return await send();
    } catch (reason) {
      if (!(reason instanceof ApiError) || !UNKNOWN.has(reason.status)) throw reason;
    }
    await wait(ms);
  }
  return send();
}

function fresh(): string {
  // randomUUID is there by HTTPS and on loopback only
  return Array.from(crypto.getRandomValues(new Uint8Array(OCTETS)), (each) => each.toString(16).padStart(2, "0")).join("");
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
