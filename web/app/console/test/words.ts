/** The console's words for the tests. */

import de from "../src/locales/de";
import en from "../src/locales/en";
import type { Messages } from "../../src/logic/translate";

export const TEXTS: Record<"en" | "de", Messages> = { en, de };

/** Return a text with plain spaces, as a test has it. */
export function plain(text: string): string {
  return text.replaceAll(/[\u00a0\u202f]/g, " ");
}
