/** What the pages about people ask and tell: logging in, accounts, tokens, who did what. */

import { api, ask } from "./client";
import type {
  MadeTokenAnswer,
  MeAnswer,
  PeopleAnswer,
  PersonOrder,
  SessionAnswer,
  TokenAnswer,
  TokenOrder,
  TrailAnswer,
  CheckAnswer,
  FirstOrder,
  ChangeOrder,
} from "./schema";

/** Log in; the browser keeps the session. */
export function logIn(name: string, password: string): Promise<MeAnswer> {
  return ask(api.POST("/api/login", { body: { name, password } }));
}

/** Make the first account, its owner's, and log it in. */
export function makeFirst(order: FirstOrder): Promise<MeAnswer> {
  return ask(api.POST("/api/first", { body: order }));
}

/** End the session. */
export async function endSession(): Promise<void> {
  await ask(api.POST("/api/logout"));
}

/** Change one's own password; all other sessions end. */
export function changePassword(present: string, next: string): Promise<MeAnswer> {
  return ask(api.PUT("/api/me/password", { body: { present, new: next } }));
}

/** Prove once more who one is. */
export async function prove(password: string): Promise<void> {
  await ask(api.POST("/api/me/proof", { body: { password } }));
}

/** Return where one is logged in. */
export async function fetchSessions(): Promise<SessionAnswer[]> {
  return (await ask(api.GET("/api/me/sessions"))).sessions;
}

/** End one of one's own sessions. */
export async function dropSession(id: number): Promise<void> {
  const path = { session: String(id) };
  await ask(api.DELETE("/api/me/sessions/{session}", { params: { path } }));
}

/** Return who has an account. */
export function fetchPeople(): Promise<PeopleAnswer> {
  return ask(api.GET("/api/people"));
}

/** Make an account. */
export async function addPerson(order: PersonOrder): Promise<void> {
  await ask(api.POST("/api/people", { body: order }));
}

/** Give an account another role or end. */
export async function changePerson(id: number, order: ChangeOrder): Promise<void> {
  const path = { person: String(id) };
  await ask(api.PUT("/api/people/{person}", { params: { path }, body: order }));
}

/** Take an account away. */
export async function removePerson(id: number): Promise<void> {
  await ask(api.DELETE("/api/people/{person}", { params: { path: { person: String(id) } } }));
}

/** Give an account a new password; its sessions end. */
export async function resetPassword(id: number, next: string): Promise<void> {
  const path = { person: String(id) };
  await ask(api.PUT("/api/people/{person}/password", { params: { path }, body: { new: next } }));
}

/** Return by which other programs get in. */
export async function fetchTokens(): Promise<TokenAnswer[]> {
  return (await ask(api.GET("/api/tokens"))).tokens;
}

/** Make a token; it is told this once. */
export function makeToken(order: TokenOrder): Promise<MadeTokenAnswer> {
  return ask(api.POST("/api/tokens", { body: order }));
}

/** Take a token back. */
export async function endToken(id: number): Promise<void> {
  await ask(api.DELETE("/api/tokens/{token}", { params: { path: { token: String(id) } } }));
}

/** Return who did what, the newest first; `before` the number of a row for older ones. */
export function fetchTrail(before: number | null): Promise<TrailAnswer> {
  const query = before === null ? {} : { before };
  return ask(api.GET("/api/trail", { params: { query } }));
}

/** Return whether the trail is as it was written. */
export function checkTrail(): Promise<CheckAnswer> {
  return ask(api.GET("/api/trail/check"));
}
