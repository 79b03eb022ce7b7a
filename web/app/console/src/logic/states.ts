/** States of events, homes and hubs: in which order they are shown and how they are painted. Pure. */

import type { HubOut } from "../api/types";

export type Tone = "good" | "calm" | "warn" | "bad" | "none";

/** What homes have come to in an event, from the best to nothing heard, with their colours. */
export const ANSWERS: readonly [string, Tone | "busy"][] = [
  ["done", "good"],
  ["taking part", "busy"],
  ["received", "calm"],
  ["left", "warn"],
  ["refused", "bad"],
  ["replaced", "warn"],
  ["taken back", "none"],
  ["no answer", "none"],
  ["not told", "none"],
];

export const HUB_STATES: readonly HubOut["state"][] = [
  "operating",
  "commissioned",
  "enrolled",
  "made",
  "quarantined",
  "retired",
];

const HUB_TONES: Partial<Record<string, Tone>> = { operating: "good", quarantined: "bad", retired: "none" };
const EVENT_TONES: Partial<Record<string, Tone>> = { active: "good", scheduled: "calm", superseded: "warn" };

export function hubTone(state: string): Tone {
  return HUB_TONES[state] ?? "calm";
}

export function eventTone(state: string): Tone {
  return EVENT_TONES[state] ?? "none";
}

/** Whether an event may still change: it runs, or will. */
export function isOpen(state: string): boolean {
  return state === "active" || state === "scheduled";
}

const WAYS: Record<string, readonly HubOut["state"][]> = {
  made: ["enrolled", "quarantined", "retired"],
  enrolled: ["commissioned", "quarantined", "retired"],
  commissioned: ["operating", "enrolled", "quarantined", "retired"],
  operating: ["commissioned", "quarantined", "retired"],
  retired: [],
};

/** Return where a hub may be taken by hand; what that needs, the server says. */
export function waysOf({ state, before }: Pick<HubOut, "state" | "before">): readonly HubOut["state"][] {
  if (state !== "quarantined") return WAYS[state] ?? [];
  const back = before === null || before === "made" || before === "enrolled" ? [before] : [before, "enrolled" as const];
  return [...back.filter((each) => each !== null), "retired"];
}

/** Whether a way asks for a reason. */
export function needsReason(from: string, to: string): boolean {
  if (to === "quarantined" || to === "retired" || from === "quarantined") return true;
  return (from === "operating" && to === "commissioned") || (from === "commissioned" && to === "enrolled");
}
