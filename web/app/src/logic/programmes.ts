/** Programmes and their records, in groups, sums and words. */

import type { ProgrammeAnswer, RecordAnswer } from "../api/types";
import { decimal, energy, moment, money, percent, power } from "./format";
import { monthOf, type Month } from "./months";
import type { Say } from "./say";

const DASH = "\u2013";
const LITTLE_WH = 999.5;
/** By which name the hub notes decisions that nobody gave a name to. */
const HERE = "this machine";

/** The programmes as the page shows them. */
export interface Groups {
  joined: ProgrammeAnswer[];
  offered: ProgrammeAnswer[];
  always: ProgrammeAnswer[];
}

/** Return the programmes by how the home stands to them; those that ask something now come first. */
export function groups(programmes: readonly ProgrammeAnswer[]): Groups {
  const chosen = programmes.filter((p) => p.manner !== "always");
  const joined = chosen.filter((p) => p.joined);
  return {
    joined: [...joined.filter(pressing), ...joined.filter((p) => !pressing(p))],
    offered: chosen.filter((p) => !p.joined),
    always: programmes.filter((p) => p.manner === "always"),
  };
}

function pressing(programme: ProgrammeAnswer): boolean {
  return programme.standing.active || programme.changed;
}

/** Return whether the home takes part, who decided so, when and until when. */
export function joinedWords(t: Say, programme: ProgrammeAnswer, now: number, zone: string): string {
  const stands = t(programme.joined ? "programmes.in" : "programmes.out");
  if (programme.decided_at === null) return stands;
  const by = nameOf(t, programme.decided_by);
  const at = moment(programme.decided_at, now, zone);
  if (programme.until === null) return t("programmes.decided", { stands, by, at });
  const until = moment(programme.until, now, zone);
  return t("programmes.decidedUntil", { stands, by, at, until });
}

/** Return who decided, in the reader's words where nobody gave a name. */
export function nameOf(t: Say, by: string): string {
  return by === HERE ? t("programmes.onTheHub") : by;
}

/** Return by how much power can be moved for it now; empty where it cannot. */
export function roomWords(t: Say, programme: ProgrammeAnswer): string {
  const { down_w: down, up_w: up, energy_wh: stored } = programme.standing;
  const parts = [
    down >= 1 ? t("programmes.down", { power: power(down) }) : "",
    up >= 1 ? t("programmes.up", { power: power(up) }) : "",
    stored !== null && (down >= 1 || up >= 1) ? t("programmes.holds", { energy: energy(stored) }) : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** Return what it pays: what was agreed, else that the contract says it. */
export function payWords(t: Say, programme: ProgrammeAnswer): string {
  if (programme.pays !== null) {
    const price = money(programme.pays.per_kwh, programme.pays.currency);
    return t("programmes.pays", { price });
  }
  return t(programme.about.carried_by.length > 0 ? "programmes.contract" : "programmes.ownGain");
}

/** Sums of the records of one month. */
export interface MonthOfRecords {
  month: Month;
  /** The latest first. */
  records: RecordAnswer[];
  deliveredWh: number | null;
  promisedWh: number | null;
  comfortMinutes: number;
  optedOut: number;
  /** What was earned by currency, as far as the configuration knows what is paid. */
  earned: Map<string, number>;
}

/**
 * Return the records by the month in which each ended, the latest first.
 *
 * @param prices What programmes pay, by id; those that it does not name earn nothing known.
 */
export function byMonth(
  records: readonly RecordAnswer[],
  prices: ReadonlyMap<string, { per_kwh: number; currency: string }>,
  zone: string,
): MonthOfRecords[] {
  const months = new Map<string, MonthOfRecords>();
  for (const record of [...records].sort((a, b) => b.ends_at - a.ends_at)) {
    // As a settlement has it: what ends with a month's last instant is of that month.
    const month = monthOf(record.ends_at - 1, zone);
    const sums = months.get(month.key) ?? empty(month);
    months.set(month.key, sums);
    add(sums, record, prices.get(record.programme));
  }
  return [...months.values()];
}

function empty(month: Month): MonthOfRecords {
  return {
    month,
    records: [],
    deliveredWh: null,
    promisedWh: null,
    comfortMinutes: 0,
    optedOut: 0,
    earned: new Map(),
  };
}

function add(
  sums: MonthOfRecords,
  record: RecordAnswer,
  pays: { per_kwh: number; currency: string } | undefined,
): void {
  sums.records.push(record);
  sums.comfortMinutes += record.comfort_minutes;
  if (record.opted_out) sums.optedOut += 1;
  if (record.promised_wh !== null) sums.promisedWh = (sums.promisedWh ?? 0) + record.promised_wh;
  if (record.delivered_wh === null) return;
  sums.deliveredWh = (sums.deliveredWh ?? 0) + record.delivered_wh;
  if (pays === undefined) return;
  const earned = (Math.max(record.delivered_wh, 0) / 1000) * pays.per_kwh;
  sums.earned.set(pays.currency, (sums.earned.get(pays.currency) ?? 0) + earned);
}

/** Return an amount in the unit that a record is in. */
export function amountWords(t: Say, amount: number, unit: string): string {
  switch (unit) {
    case "W":
      return power(amount);
    case "Wh":
      return fineEnergy(amount);
    case "%":
      return percent(amount / 100);
    case "W/min":
      return t("programmes.perMinute", { power: power(amount) });
    case "curve":
      return t("programmes.ofRating", { share: percent(amount) });
    case "power factor":
      return decimal(amount, 3);
    default:
      return `${Math.round(amount)}\u00a0${unit}`;
  }
}

/** Return what was asked of the home. */
export function askedWords(t: Say, record: RecordAnswer): string {
  return record.unit === "curve" ? t("programmes.aCurve") : amountWords(t, record.asked, record.unit);
}

/** Return how far beside what was asked the home was; a dash where nothing bounds it. */
export function deviationWords(t: Say, record: RecordAnswer): string {
  if (record.deviation === null) return DASH;
  // What misses a power factor is measured in var.
  const unit = record.unit === "power factor" ? "var" : record.unit;
  return amountWords(t, record.deviation, unit);
}

/** Return an energy without its sign, in Wh where it is little: a call may be for a tenth of a kWh. */
export function fineEnergy(wattHours: number): string {
  const size = Math.abs(wattHours);
  return size < LITTLE_WH ? `${Math.round(size)}\u00a0Wh` : energy(size);
}

/** Return an energy with its sign: what was delivered may be less than nothing. */
export function deliveredWords(wattHours: number | null): string {
  if (wattHours === null) return DASH;
  return `${wattHours <= -0.5 ? "\u2212" : ""}${fineEnergy(wattHours)}`;
}
