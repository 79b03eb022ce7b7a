/** Programmes in words. */

import type { ProgrammeAnswer } from "../api/types";

/** Return whether the home takes part, and who decided so. */
export function joinedWords(programme: ProgrammeAnswer): string {
  const stands = programme.joined ? "Taking part" : "Not taking part";
  return programme.decided_by === "" ? stands : `${stands}, said ${programme.decided_by}`;
}
