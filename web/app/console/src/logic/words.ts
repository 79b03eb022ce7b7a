/** What is asked, in words. */

import { interval, moment } from "../../../src/logic/format";
import { tOr } from "../i18n";
import { fieldKey, valueText } from "./kinds";

/** Return what an event asks, in words: "Draw no more than 4 kW". */
export function askWords(asks: object): string {
  return Object.entries(asks)
    .map(([field, value]) => tOr(fieldKey(field, value), `${field} {value}`).replace("{value}", valueText(field, value)))
    .join(", ");
}

const ABOUT_ORDERS = new Set([
  "program",
  "group",
  "minutes",
  "seconds",
  "start",
  "randomize_start_s",
  "randomize_duration_s",
  "ramp_s",
  "raw",
]);

/** Return what an order asks, in words. */
export function orderWords(order: object): string {
  return askWords(
    Object.fromEntries(
      Object.entries(order)
        .filter(([name, value]) => !ABOUT_ORDERS.has(name) && value !== null)
        .map(([name, value]) => [name, typeof value === "boolean" ? Number(value) : value]),
    ),
  );
}

/** Return when an event is, as the reader's clock has it. */
export function whenWords({ start, ends }: { start: number; ends: number }, now: number): string {
  return interval(start, ends, now, "");
}

/** Return an instant as the reader's clock has it; a dash for none. */
export function at(instant: number | null | undefined, now: number): string {
  return instant === null || instant === undefined ? "–" : moment(instant, now, "");
}

/** Return the name of a state of an event. */
export function stateWords(state: string): string {
  return tOr(`events.states.${state}`, state);
}
