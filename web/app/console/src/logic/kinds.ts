/** What a dispatcher may ask of homes here, with sensible values. Pure. */

import { decimal } from "../../../src/logic/format";
import type { EventIn } from "../api/types";
import { watts } from "./measures";

/** A way of asking, one field of an order. */
export interface Kind {
  field: keyof EventIn & string;
  /** Kind of programme that carries it. */
  carrier: "der" | "drlc";
  /** In what a value is told here; nothing for a switch. */
  unit: "kW" | "%" | "K" | "";
  /** By how much the value told here is multiplied for the order. */
  by: number;
  least: number;
  most: number;
  step: number;
  usual: number;
}

const LIMIT = { carrier: "der", unit: "kW", by: 1000, least: 0, most: 1_000_000, step: 0.1 } as const;
const SIGNED = { ...LIMIT, least: -1_000_000 };
const OFFSET = { carrier: "drlc", unit: "K", by: 1, least: 0.5, most: 10, step: 0.5, usual: 2 } as const;

/** The ways that the form offers; more exotic ones are ordered at the terminal. */
export const KINDS: readonly Kind[] = [
  { ...LIMIT, field: "limit_import_w", usual: 4 },
  { ...LIMIT, field: "limit_export_w", usual: 1.5 },
  { ...LIMIT, field: "limit_generation_w", usual: 1.5 },
  { ...LIMIT, field: "limit_load_w", usual: 4 },
  { ...LIMIT, field: "shed_w", carrier: "drlc", least: 0.001, most: 65_535, usual: 1 },
  { ...LIMIT, field: "duty_cycle_percent", carrier: "drlc", unit: "%", by: 1, most: 100, step: 5, usual: 50 },
  { ...OFFSET, field: "cooling_offset_k" },
  { ...OFFSET, field: "heating_offset_k" },
  { ...SIGNED, field: "storage_target_w", usual: 2 },
  { ...SIGNED, field: "target_w", usual: 2 },
  { ...LIMIT, field: "connect", unit: "", by: 0, most: 0, step: 1, usual: 0 },
];

const PER_CENT = /_percent$/;
const KELVIN = /_k$/;
const SWITCHES = new Set(["connect", "energize", "island_permit", "grid_connect_permit"]);

export function kindOf(field: string): Kind {
  const found = KINDS.find((kind) => kind.field === field);
  if (found === undefined) throw new Error(`no way of asking ${field}`);
  return found;
}

/** Return what one field of an order says, with its unit: "4 kW"; of a curve nothing. */
export function valueText(field: string, value: unknown): string {
  if (typeof value !== "number" || SWITCHES.has(field)) return "";
  if (field.endsWith("_wh")) return `${watts(value)}h`;
  if (field.endsWith("_w")) return watts(value);
  if (PER_CENT.test(field)) return `${decimal(value, 1)}\u00a0%`;
  if (KELVIN.test(field)) return `${decimal(value, 1)}\u00a0K`;
  return decimal(value, 2);
}

/** Key of the words for one field that was asked; a switch that is on says something else. */
export function fieldKey(field: string, value: unknown): string {
  const on = SWITCHES.has(field) && (value === 1 || value === true);
  return `events.asks.${field}${on ? "_on" : ""}`;
}
