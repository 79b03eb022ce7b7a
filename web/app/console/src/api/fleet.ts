/** What the console asks of groups, sites and hubs. */

import { api, ask } from "./client";
import type { ChangeOut, CountsOut, GroupOut, HubOut, HubsOut, SiteOut, SitesOut } from "./types";

const MOST = 1000;
const PAGE = 50;

/** Return all groups, page by page. */
export async function allGroups(): Promise<GroupOut[]> {
  const all: GroupOut[] = [];
  for (let after: string | null = ""; after !== null; ) {
    const query: { limit: number; after?: string } = after === "" ? { limit: MOST } : { limit: MOST, after };
    const { groups, next } = await ask(api.GET("/fleet/groups", { params: { query } }));
    all.push(...groups);
    after = next;
  }
  return all;
}

/** Return the first thousand sites of a group, and whether there are more. */
export function sitesOf(group: string, signal: AbortSignal): Promise<SitesOut> {
  return ask(api.GET("/fleet/sites", { params: { query: { group, limit: MOST } }, signal }));
}

export function site(id: string): Promise<SiteOut> {
  return ask(api.GET("/fleet/sites/{id}", { params: { path: { id } } }));
}

/** Return how many hubs there are of each state. */
export function counts(signal: AbortSignal): Promise<CountsOut> {
  return ask(api.GET("/fleet", { signal }));
}

export interface HubWish {
  state: string;
  group: string;
  after: string;
}

/** Return a page of hubs. */
export function hubs(wish: HubWish, signal?: AbortSignal): Promise<HubsOut> {
  const query = {
    limit: PAGE,
    ...(wish.state === "" ? {} : { state: wish.state as HubOut["state"] }),
    ...(wish.group === "" ? {} : { group: wish.group }),
    ...(wish.after === "" ? {} : { after: wish.after }),
  };
  return ask(api.GET("/fleet/hubs", { params: { query }, ...(signal ? { signal } : {}) }));
}

/** Return a hub by its id, or by an identity that it has or had. */
export function hub(id: string, signal?: AbortSignal): Promise<HubOut> {
  return ask(api.GET("/fleet/hubs/{id}", { params: { path: { id } }, ...(signal ? { signal } : {}) }));
}

/** Return what was done to a hub, the latest first. */
export async function historyOf(id: string, signal: AbortSignal): Promise<ChangeOut[]> {
  const params = { path: { id }, query: { limit: PAGE } };
  return (await ask(api.GET("/fleet/hubs/{id}/history", { params, signal }))).changes;
}

/** Take a hub to another state. */
export function moveHub(id: string, to: HubOut["state"], reason: string): Promise<HubOut> {
  return ask(api.POST("/fleet/hubs/{id}/state", { params: { path: { id } }, body: { to, reason } }));
}
