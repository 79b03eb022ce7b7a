/** Figures as a control room writes them. Pure but for the reader's language. */

import { decimal } from "../../../src/logic/format";

const SPACE = "\u00a0";
export const DASH = "\u2013";
const MINUS = "\u2212";

function sized(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return DASH;
  const size = Math.abs(value);
  const [by, prefix] = size >= 999_500_000 ? [1e9, "G"] : size >= 999_500 ? [1e6, "M"] : size >= 999.5 ? [1e3, "k"] : [1, ""];
  const scaled = size / by;
  const digits = by === 1 || scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2;
  const text = decimal(scaled, digits);
  return `${value < 0 && text !== "0" ? MINUS : ""}${text}${SPACE}${prefix}${unit}`;
}

/** Return a power with its sign, by a unit that fits: "640 W", "1.4 kW", "12.5 MW". */
export function watts(value: number | null | undefined): string {
  return sized(value, "W");
}

/** Return an energy likewise: "850 Wh", "1.35 MWh". */
export function wattHours(value: number | null | undefined): string {
  return sized(value, "Wh");
}

/** Return how many there are: "12,400". */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? DASH : decimal(value, 0);
}

/** Return a length on the ground: "200 m", "5 km". */
export function metres(value: number): string {
  return value >= 1000 ? `${decimal(value / 1000, 0)}${SPACE}km` : `${decimal(value, 0)}${SPACE}m`;
}

/** Return an identity short enough for a list: its first and last digits. */
export function short(id: string): string {
  return id.length > 20 ? `${id.slice(0, 8)}\u2026${id.slice(-4)}` : id;
}
