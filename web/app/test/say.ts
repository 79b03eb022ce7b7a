/** The page's words for the tests: a language's texts. */

import de from "../src/locales/de";
import en from "../src/locales/en";
import es from "../src/locales/es";
import fr from "../src/locales/fr";
import type { Language } from "../src/logic/language";
import type { Say } from "../src/logic/say";
import { textOf, told, type Messages } from "../src/logic/translate";

export const TEXTS: Record<Language, Messages> = { en, de, fr, es };

/** English; a text that is missing is an error. */
export const say: Say = (key, named = {}) => {
  if (textOf(TEXTS.en, key) === undefined) throw new Error(`no text ${key}`);
  return told(TEXTS.en, "en", key, named);
};

/** Return a text with plain spaces, as a test has it. */
export function plain(text: string): string {
  return text.replaceAll(/[\u00a0\u202f]/g, " ");
}
