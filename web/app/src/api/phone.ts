/** What the hub is asked about phones: how it is reached on the network, and who is told what. */

import { api, ask } from "./client";
import type { LanAnswer, PushAnswer, SubscriptionAnswer, SubscriptionOrder } from "./schema";

/** Return how the hub is reached on the home's network. */
export async function lan(): Promise<LanAnswer> {
  return ask(api.GET("/api/lan"));
}

/** Return which of the reader's browsers are told what. */
export async function push(): Promise<PushAnswer> {
  return ask(api.GET("/api/push"));
}

/** Have this browser told. */
export async function subscribe(order: SubscriptionOrder): Promise<SubscriptionAnswer> {
  return ask(api.PUT("/api/push/subscriptions", { body: order }));
}

/** Have a browser told no more. */
export async function unsubscribe(id: string): Promise<void> {
  await ask(api.DELETE("/api/push/subscriptions/{id}", { params: { path: { id } } }));
}

/** Have a browser told that messages arrive. */
export async function tryOut(id: string): Promise<void> {
  await ask(api.POST("/api/push/subscriptions/{id}/test", { params: { path: { id } } }));
}
