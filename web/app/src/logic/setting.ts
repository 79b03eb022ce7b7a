/** Settings as people fill them in: their units, and back to the hub's base units. */

import type { SettingAnswer } from "../api/schema";

export type Value = SettingAnswer["value"];

/** How many base units one of the shown unit is, and what that is called. */
const SHOWN: Record<string, { factor: number; unit: string; step: number }> = {
  current: { factor: 1, unit: "A", step: 1 },
  power: { factor: 1000, unit: "kW", step: 0.1 },
  slope: { factor: 1000, unit: "kW/min", step: 0.1 },
  duration: { factor: 60, unit: "min", step: 1 },
  share: { factor: 0.01, unit: "%", step: 1 },
};

export function unitOf(setting: SettingAnswer): string {
  return SHOWN[setting.kind]?.unit ?? "";
}

export function stepOf(setting: SettingAnswer): number {
  return SHOWN[setting.kind]?.step ?? 1;
}

export function isNumber(setting: SettingAnswer): boolean {
  return setting.kind in SHOWN;
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** A bound in the shown unit. */
export function boundOf(setting: SettingAnswer, bound: number | null): number | undefined {
  return bound === null ? undefined : round(bound / (SHOWN[setting.kind]?.factor ?? 1));
}

/** What stands in the field for a value. */
export function shown(setting: SettingAnswer): string | boolean {
  const { value } = setting;
  if (typeof value === "boolean") return value;
  if (value === null) return "";
  if (Array.isArray(value)) return value.join("\n");
  if (typeof value === "number") return String(round(value / (SHOWN[setting.kind]?.factor ?? 1)));
  return value;
}

/** The value that was filled in; null for none. */
export function filledIn(setting: SettingAnswer, typed: string | number | boolean): Value {
  if (typeof typed === "boolean") return typed;
  const text = String(typed).trim();
  if (setting.kind === "texts")
    return text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
  if (text === "") return null;
  if (!isNumber(setting)) return text;
  return round(Number(text.replace(",", ".")) * (SHOWN[setting.kind]?.factor ?? 1));
}

/** Whether two values say the same. */
export function same(one: Value, other: Value): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
