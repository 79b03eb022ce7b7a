/** How devices stand, as the page shows it. */

import type { StandAnswer } from "../api/types";

type Standing = StandAnswer["standing"];

/** In which colours a standing is marked; its word says the same. */
export const STAND_MARK: Record<Standing, string> = {
  trusted: "good",
  new: "warn",
  quarantined: "bad",
  blocked: "bad",
};

/** Return the devices that somebody has to judge: new ones, and those in quarantine. */
export function toJudge(stands: readonly StandAnswer[]): StandAnswer[] {
  return stands.filter((each) => each.standing === "new" || each.standing === "quarantined");
}
