/** What homes in a place usually have, by the time zone that the browser knows; a guess to check. */

export interface Usual {
  /** Phases of the connection. */
  phases: "1" | "3";
  /** Main breaker, A for each phase. */
  breaker: number;
  /** ISO 4217 letters. */
  currency: string;
}

const THREE_35: Usual = { phases: "3", breaker: 35, currency: "EUR" };
const THREE_25: Usual = { phases: "3", breaker: 25, currency: "EUR" };

const USUAL: Record<string, Usual> = {
  "Europe/Berlin": THREE_35,
  "Europe/Vienna": THREE_35,
  "Europe/Luxembourg": THREE_35,
  "Europe/Zurich": { ...THREE_35, currency: "CHF" },
  "Europe/Amsterdam": THREE_25,
  "Europe/Helsinki": THREE_25,
  "Europe/Warsaw": { ...THREE_25, currency: "PLN" },
  "Europe/Prague": { ...THREE_25, currency: "CZK" },
  "Europe/Copenhagen": { ...THREE_25, currency: "DKK" },
  "Europe/Stockholm": { phases: "3", breaker: 20, currency: "SEK" },
  "Europe/Oslo": { phases: "3", breaker: 32, currency: "NOK" },
  "Europe/Brussels": { phases: "1", breaker: 40, currency: "EUR" },
  "Europe/Paris": { phases: "1", breaker: 45, currency: "EUR" },
  "Europe/Madrid": { phases: "1", breaker: 25, currency: "EUR" },
  "Europe/Lisbon": { phases: "1", breaker: 30, currency: "EUR" },
  "Europe/Rome": { phases: "1", breaker: 16, currency: "EUR" },
  "Europe/Dublin": { phases: "1", breaker: 63, currency: "EUR" },
  "Europe/London": { phases: "1", breaker: 80, currency: "GBP" },
};
const DOWN_UNDER = /^(Australia|Pacific\/Auckland)/;

/** What is usual in a time zone; null where nothing is known. */
export function usualIn(zone: string): Usual | null {
  if (DOWN_UNDER.test(zone))
    return { phases: "1", breaker: 63, currency: zone.startsWith("A") ? "AUD" : "NZD" };
  return USUAL[zone] ?? null;
}

/** The time zone that this browser is in. */
export function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/** All time zones that this browser knows, and one that it may not. */
export function zonesWith(present: string): string[] {
  const known = Intl.supportedValuesOf("timeZone");
  return known.includes(present) ? known : [present, ...known];
}
