/** The page's words for the tests: a language's texts, as vue-i18n gives them. */

import { createI18n } from "vue-i18n";
import de from "../src/locales/de";
import en from "../src/locales/en";
import es from "../src/locales/es";
import fr from "../src/locales/fr";
import type { Language } from "../src/logic/language";
import type { Say } from "../src/logic/say";

export const TEXTS: Record<Language, object> = { en, de, fr, es };

/** Return a language's words; a text that is missing is an error. */
export function inLanguage(language: Language): ReturnType<typeof made> {
  return made(language);
}

function made(language: Language) {
  return createI18n({
    legacy: false,
    locale: language,
    messages: { [language]: TEXTS[language] as never },
    missingWarn: false,
    missing: (_, key) => {
      throw new Error(`no text ${key} in ${language}`);
    },
  });
}

export const say: Say = inLanguage("en").global.t as Say;

/** Return a text with plain spaces, as a test has it. */
export function plain(text: string): string {
  return text.replaceAll(/[\u00a0\u202f]/g, " ");
}
