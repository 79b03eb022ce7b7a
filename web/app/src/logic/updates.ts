/** The hub's own software in words, and what may be done about it. */

import type { UpdatesAnswer } from "../api/schema";
import { moment } from "./format";
import type { Say } from "./say";

const DASH = "\u2013";
const SPACE = "\u00a0";

/** Return the hours in which a version may begin: "02:00 – 05:00"; two times alike are any. */
export function hoursWords(t: Say, window: string): string {
  const [from, to] = window.split("-");
  return from === to ? t("updates.always") : `${from}${SPACE}${DASH} ${to}`;
}

/** Return how far a change is, in one sentence; empty where nothing is on its way. */
export function stageWords(t: Say, found: UpdatesAnswer, now: number, zone: string): string {
  const { stage, version } = found;
  if (stage === "idle") return "";
  const key = stage === "armed" && found.hurried ? "hurried" : stage;
  const time = found.until === null ? DASH : moment(found.until, now, zone);
  return t(`updates.stage.${key}`, { version, time, hours: hoursWords(t, found.window) });
}

/** Return what else is to be known, a sentence each: why it is not offered, or how it is installed. */
export function aboutWords(t: Say, found: UpdatesAnswer): string[] {
  if (!found.looks) return [t("updates.noLists")];
  if (!found.able) return [t("updates.byHand")];
  return [
    found.automatic
      ? t("updates.automatic", { hours: hoursWords(t, found.window) })
      : t("updates.approval"),
  ];
}

/** What the owner may do now. */
export interface Doable {
  install: boolean;
  putOff: boolean;
  back: boolean;
}

/** Return what the owner may do as things stand. */
export function doable(found: UpdatesAnswer): Doable {
  const { able, offer, stage } = found;
  const busy = stage === "fetching" || stage === "installing";
  const free = able && !busy && stage !== "trial";
  return {
    install: free && offer !== null && offer.fits && (stage !== "armed" || !found.hurried),
    putOff: stage !== "trial" && offer !== null && !offer.put_off,
    back: able && !busy && found.former !== "",
  };
}
