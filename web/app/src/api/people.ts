/** What the pages about people ask and tell: logging in, accounts, tokens, who did what. */

import { api, ask } from "./client";
import type {
  AppAnswer,
  AskedAnswer,
  ConsentOrder,
  ConsentsAnswer,
  FactorsAnswer,
  MadeTokenAnswer,
  MeAnswer,
  PeopleAnswer,
  PasskeyOrder,
  PersonOrder,
  Role,
  SessionAnswer,
  SignedOrder,
  TokenAnswer,
  TokenOrder,
  TrailAnswer,
  CheckAnswer,
  FirstOrder,
  ChangeOrder,
} from "./schema";

/** Log in, with a code where one is needed; the browser keeps the session. */
export function logIn(name: string, password: string, code: string): Promise<MeAnswer> {
  return ask(api.POST("/api/login", { body: { name, password, code } }));
}

/** Return what a passkey is to sign to log somebody in. */
export function askLogin(): Promise<AskedAnswer> {
  return ask(api.GET("/api/login/passkey"));
}

/** Log in by a passkey. */
export function logInBy(signed: SignedOrder): Promise<MeAnswer> {
  return ask(api.POST("/api/login/passkey", { body: signed }));
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
export function changePassword(present: string, next: string, code: string): Promise<MeAnswer> {
  return ask(api.PUT("/api/me/password", { body: { present, new: next, code } }));
}

/** Prove once more who one is. */
export async function prove(password: string, code: string): Promise<void> {
  await ask(api.POST("/api/me/proof", { body: { password, code } }));
}

/** Return what a passkey is to sign to prove once more who one is. */
export function askProofBy(): Promise<AskedAnswer> {
  return ask(api.GET("/api/me/proof"));
}

/** Prove it by a passkey. */
export async function proveBy(signed: SignedOrder): Promise<void> {
  await ask(api.POST("/api/me/proof", { body: { code: "", passkey: signed } }));
}

/** Return one's own second factors. */
export function fetchFactors(): Promise<FactorsAnswer> {
  return ask(api.GET("/api/me/factors"));
}

/** Have an app for codes be set up; it counts once `confirmApp` has taken a code of it. */
export function beginApp(): Promise<AppAnswer> {
  return ask(api.POST("/api/me/app"));
}

/** Have the app count; returns new recovery codes, where these are the first. */
export async function confirmApp(code: string): Promise<string[]> {
  return (await ask(api.PUT("/api/me/app", { body: { code } }))).codes;
}

/** Have the app count no more. */
export function removeApp(): Promise<FactorsAnswer> {
  return ask(api.DELETE("/api/me/app"));
}

/** Return what a new passkey is to be for. */
export function askPasskey(): Promise<AskedAnswer> {
  return ask(api.GET("/api/me/passkeys"));
}

/** Keep a passkey; returns new recovery codes, where these are the first. */
export async function addPasskey(order: PasskeyOrder): Promise<string[]> {
  return (await ask(api.POST("/api/me/passkeys", { body: order }))).codes;
}

/** Have a passkey prove nothing any more. */
export function removePasskey(id: number): Promise<FactorsAnswer> {
  const path = { passkey: String(id) };
  return ask(api.DELETE("/api/me/passkeys/{passkey}", { params: { path } }));
}

/** Make new recovery codes; those before count no more. */
export async function makeCodes(): Promise<string[]> {
  return (await ask(api.POST("/api/me/codes"))).codes;
}

/** Choose which roles need a second factor. */
export function chooseRules(second: Role[]): Promise<PeopleAnswer> {
  return ask(api.PUT("/api/people/rules", { body: { second } }));
}

/** Let somebody in again who has lost their second factor. */
export async function recoverPerson(id: number, next: string): Promise<void> {
  const path = { person: String(id) };
  await ask(api.POST("/api/people/{person}/recover", { params: { path }, body: { new: next } }));
}

/** Return who may see and do what who does not live here. */
export function fetchConsents(): Promise<ConsentsAnswer> {
  return ask(api.GET("/api/consents"));
}

/** Consent to something until a day. */
export async function giveConsent(order: ConsentOrder): Promise<void> {
  await ask(api.POST("/api/consents", { body: order }));
}

/** Take a consent back. */
export async function endConsent(id: number): Promise<void> {
  const path = { consent: String(id) };
  await ask(api.DELETE("/api/consents/{consent}", { params: { path } }));
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
