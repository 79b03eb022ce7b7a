/** Messages to this browser: its subscription with its push service, and what the hub knows of it. */

import { ref, shallowRef } from "vue";
import { ApiError } from "../api/client";
import * as phone from "../api/phone";
import type { PushAnswer, SubscriptionAnswer, SubscriptionOrder } from "../api/schema";
import { systemOf } from "../logic/systems";
import { worker, workersPossible } from "./worker";

/** Why this browser is not told: a key below `phone.push`; empty where it can be. */
export type Hindrance = "" | "off" | "unable" | "unableIos" | "insecure" | "denied";
/** What a person chooses. */
export type Choice = Pick<SubscriptionOrder, "called" | "subjects" | "quiet" | "language">;

/** Of the digest so much is the id. */
const ID_CHARS = 24;

export function usePush() {
  const told = shallowRef<PushAnswer | null>(null);
  const mine = shallowRef<SubscriptionAnswer | null>(null);
  const hindrance = ref<Hindrance>("");

  async function load(): Promise<void> {
    const answer = await phone.push();
    told.value = answer;
    const id = await ownId();
    mine.value = answer.subscriptions.find((each) => each.id === id) ?? null;
    hindrance.value = await hindered(answer);
  }

  /** Have this browser told what was chosen; the browser asks its user where it was not allowed yet. */
  async function turnOn(choice: Choice): Promise<void> {
    const answer = told.value;
    const found = await worker();
    if (answer === null || found === null) return;
    if ((await Notification.requestPermission()) !== "granted") {
      hindrance.value = await hindered(answer);
      return;
    }
    const ready = await navigator.serviceWorker.ready;
    const { endpoint, keys } = (await subscription(ready, answer.key)).toJSON();
    const order = {
      ...choice,
      endpoint: endpoint ?? "",
      keys: { p256dh: keys?.p256dh ?? "", auth: keys?.auth ?? "" },
    };
    await phone.subscribe(order);
    await load();
  }

  /** Have a browser told no more; this one's subscription is ended with its push service too. */
  async function turnOff(id: string): Promise<void> {
    if (id === mine.value?.id) {
      const found = await navigator.serviceWorker.getRegistration();
      await (await found?.pushManager.getSubscription())?.unsubscribe();
    }
    await phone.unsubscribe(id);
    await load();
  }

  return { told, mine, hindrance, load, turnOn, turnOff, tryOut: phone.tryOut };
}

/** Return the id that the hub knows this browser by, from where it takes messages; empty for none. */
async function ownId(): Promise<string> {
  if (!workersPossible() || !("PushManager" in window)) return "";
  const found = await navigator.serviceWorker.getRegistration();
  const endpoint = (await found?.pushManager.getSubscription())?.endpoint;
  if (endpoint === undefined) return "";
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint));
  return Array.from(new Uint8Array(digest), (octet) => octet.toString(16).padStart(2, "0"))
    .join("")
    .slice(0, ID_CHARS);
}

async function hindered(answer: PushAnswer): Promise<Hindrance> {
  if (!answer.enabled) return "off";
  if (!window.isSecureContext) return "insecure";
  const ios = systemOf(navigator.userAgent, navigator.maxTouchPoints) === "ios";
  if (!workersPossible() || !("PushManager" in window)) return ios ? "unableIos" : "unable";
  if ((await worker()) === null) return "insecure";
  return Notification.permission === "denied" ? "denied" : "";
}

/** Return the browser's subscription for the hub's key; one for another key is ended first. */
async function subscription(
  ready: ServiceWorkerRegistration,
  key: string,
): Promise<PushSubscription> {
  const before = await ready.pushManager.getSubscription();
  if (before !== null && keyOf(before) === key) return before;
  await before?.unsubscribe();
  try {
    return await ready.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  } catch (error) {
    if (error instanceof DOMException) throw new PushServiceError(error.message);
    throw error;
  }
}

/** The browser's push service does not answer, or the browser has none. */
export class PushServiceError extends ApiError {}

function keyOf(found: PushSubscription): string {
  const key = found.options.applicationServerKey;
  if (key === null) return "";
  const text = btoa(String.fromCharCode(...new Uint8Array(key)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
