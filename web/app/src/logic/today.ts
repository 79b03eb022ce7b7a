/** Today's figures: what each is, and why one is missing. Pure. */

import type { AccountAnswer } from "../api/types";
import { amount, isCurrency, mass, percent } from "./format";
import type { Say } from "./say";

/** A figure of the day. */
export interface TodayFigure {
  name: "cost" | "saved" | "self" | "carbon";
  label: string;
  /** As it is read; a dash where it is missing. */
  value: string;
  missing: boolean;
  /** What it is, or why it is missing. */
  note: string;
}

const DASH = "\u2013";

/**
 * Return the figures of today's account.
 *
 * @param account Today's; null where nothing has been added up.
 * @param error Why the hub gave none; empty if it did.
 */
export function figures(say: Say, account: AccountAnswer | null, error: string): TodayFigure[] {
  const priced = account !== null && isCurrency(account.currency);
  const noPrice = account === null ? "" : say("home.today.noTariff");
  const cost = priced ? account.total : null;
  const saved = priced ? account.saved_no_control : null;
  const money = (value: number): string => amount(Math.abs(value), account?.currency ?? "");
  const none = error || (account === null ? say("home.today.noAccount") : "");
  return [
    figure(say, "cost", cost === null ? null : money(cost), none || noPrice, {
      label: cost !== null && cost < 0 ? "earned" : "cost",
    }),
    figure(
      say,
      "saved",
      saved === null ? null : money(saved),
      none || (priced ? say("home.today.noSaved") : noPrice),
      { label: saved !== null && saved < -0.005 ? "lost" : "saved" },
    ),
    figure(say, "self", share(account?.self_consumption), none || say("home.today.noSun")),
    figure(say, "carbon", weight(account?.carbon_kg), none || say("home.today.noCarbon")),
  ];
}

function share(value: number | null | undefined): string | null {
  return value === null || value === undefined ? null : percent(value);
}

function weight(value: number | null | undefined): string | null {
  return value === null || value === undefined ? null : mass(value);
}

function figure(
  say: Say,
  name: TodayFigure["name"],
  value: string | null,
  reason: string,
  { label }: { label: string } = { label: name },
): TodayFigure {
  return {
    name,
    label: say(`home.today.${label}`),
    value: value ?? DASH,
    missing: value === null,
    note: value === null ? reason : say(`home.today.${name}Note`),
  };
}
