/** What is said of people, their browsers and what they did. */

/** Days that a guest's account may last, as offered. */
export const SPANS_DAYS = [1, 7, 30, 365] as const;

const DAY_S = 86_400;

/** Return when what lasts so many days from now ends, UTC epoch seconds; null for 0, without an end. */
export function endsAt(days: number, now: number): number | null {
  return days === 0 ? null : now + days * DAY_S;
}

/** Return what a browser is, from what it calls itself; empty where that tells nothing. */
export function browserOf(agent: string): string {
  const browser = BROWSERS.find(([pattern]) => pattern.test(agent))?.[1] ?? "";
  const system = SYSTEMS.find(([pattern]) => pattern.test(agent))?.[1] ?? "";
  return [browser, system].filter((part) => part !== "").join(", ");
}

const BROWSERS: [RegExp, string][] = [
  [/Edg\//, "Edge"],
  [/Firefox\/|FxiOS/, "Firefox"],
  [/SamsungBrowser/, "Samsung Internet"],
  [/Chrome\/|CriOS/, "Chrome"],
  [/Safari\//, "Safari"],
];
const SYSTEMS: [RegExp, string][] = [
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Macintosh/, "Mac"],
  [/Linux/, "Linux"],
];

/** Which operations have words of their own, by what they begin with; the first one counts. */
const DEEDS: [string, string][] = [
  ["POST /api/login", "login"],
  ["POST /api/logout", "logout"],
  ["POST /api/first", "first"],
  ["PUT /api/me/password", "ownPassword"],
  ["POST /api/me/proof", "proof"],
  ["PUT /api/me/app", "factor"],
  ["PUT /api/me/", "ownSettings"],
  ["DELETE /api/me/sessions", "endSession"],
  ["POST /api/me/app", "factor"],
  ["DELETE /api/me/app", "factor"],
  ["POST /api/me/passkeys", "factor"],
  ["DELETE /api/me/passkeys", "factor"],
  ["POST /api/me/codes", "factor"],
  ["PUT /api/people/rules", "rules"],
  ["POST /api/people/{person}/recover", "recover"],
  ["GET /api/consents", "seeConsents"],
  ["POST /api/consents", "consent"],
  ["DELETE /api/consents", "endConsent"],
  ["DELETE /api/people/{person}/sessions", "endSession"],
  ["PUT /api/people/{person}/password", "password"],
  ["POST /api/people", "addPerson"],
  ["PUT /api/people", "changePerson"],
  ["DELETE /api/people", "removePerson"],
  ["POST /api/tokens", "addToken"],
  ["DELETE /api/tokens", "removeToken"],
  ["GET /api/people", "seePeople"],
  ["GET /api/tokens", "seePeople"],
  ["GET /api/trail", "seeTrail"],
  ["GET /api/security", "seeSecurity"],
  ["GET /api/accesses", "seeSecurity"],
  ["GET /api/grants", "seeGrants"],
  ["POST /api/grants", "grant"],
  ["DELETE /api/grants", "withdraw"],
  ["GET /api/history/export", "export"],
  ["GET /api/settlement", "export"],
  ["GET /api/history", "seeHistory"],
  ["GET /api/programmes/records", "seeHistory"],
  ["GET /api/money", "seeMoney"],
  ["GET /api/bill", "seeMoney"],
  ["GET /api/home", "seeHome"],
  ["GET /api/stream", "seeHome"],
  ["GET /api/plan", "seeHome"],
  ["GET /api/alarms", "seeHome"],
  ["GET /api/devices", "seeDevices"],
  ["GET /api/trust", "seeDevices"],
  ["GET /api/found", "seeDevices"],
  ["GET /api/settings", "seeSettings"],
  ["GET /api/setup", "seeSettings"],
  ["GET ", "see"],
  ["POST /api/events/{event}/opt-out", "optOut"],
  ["POST /api/events/{event}/opt-in", "optIn"],
  ["POST /api/messages", "acknowledge"],
  ["POST /api/devices/{device}/wish", "wish"],
  ["DELETE /api/devices/{device}/wish", "endWish"],
  ["POST /api/devices/{device}/test", "test"],
  ["POST /api/trust", "judge"],
  ["POST /api/found/join/confirm", "addDevice"],
  ["PUT /api/devices", "changeDevice"],
  ["DELETE /api/devices", "removeDevice"],
  ["POST /api/cars", "car"],
  ["PUT /api/cars", "car"],
  ["DELETE /api/cars", "car"],
  ["POST /api/programmes", "programme"],
  ["POST /api/backup", "backup"],
  ["POST /api/restore", "restore"],
  ["POST /api/wipe", "wipe"],
  ["PUT /api/settings", "settings"],
  ["POST /api/settings", "settings"],
  ["DELETE /api/settings", "settings"],
  ["POST /api/setup", "settings"],
  ["DELETE /api/setup", "settings"],
];

/** Return the key of the words for an operation, under `people.deed`. */
export function deedKey(did: string): string {
  return DEEDS.find(([start]) => did.startsWith(start))?.[1] ?? "change";
}

/** How a deed ended: it was done, it was not allowed, or it did not work. */
export function outcomeOf(status: number): "done" | "refused" | "failed" {
  if (status < 400) return "done";
  return [401, 403, 429].includes(status) ? "refused" : "failed";
}
