/** The console's languages: what it says lies in `locales/`; what shows it follows their change. */

import { computed, shallowRef, type ComputedRef } from "vue";
import { setFormatLanguage } from "../../src/logic/format";
import { textOf, told, type Messages, type Named } from "../../src/logic/translate";
import { sentenceIn, type Sentences } from "./logic/sentences";

export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

/** A language's words; `sentences` are the server's, which speaks English by itself. */
interface Words {
  default: Messages;
  sentences?: Sentences;
}

const LOADERS: Record<Language, () => Promise<Words>> = {
  en: () => import("./locales/en"),
  de: () => import("./locales/de"),
};
const KEPT = "hems.console.language";

const spoken = shallowRef<{ language: Language; messages: Messages; sentences: Sentences }>({
  language: "en",
  messages: {},
  sentences: {},
});
const locale = computed(() => spoken.value.language);

/** Return a text by its key, with what is named filled in; of several forms that for `n`. */
export function t(key: string, named: Named | number = {}): string {
  const { messages, language } = spoken.value;
  return told(messages, language, key, typeof named === "number" ? { n: named } : named);
}

/** Return the text under a key, or what else there is to say: words of the server's own. */
export function tOr(key: string, other: string): string {
  return textOf(spoken.value.messages, key) ?? other;
}

/** Return a sentence of the server in the reader's language; as it is where that has no words for it. */
export function said(sentence: string): string {
  return sentenceIn(spoken.value.sentences, sentence);
}

/** What a component speaks by. */
export function useI18n(): { t: typeof t; tOr: typeof tOr; said: typeof said; locale: ComputedRef<Language> } {
  return { t, tOr, said, locale };
}

/** Say everything by these words from now on. */
export function speak(language: Language, messages: Messages, sentences: Sentences = {}): void {
  spoken.value = { language, messages, sentences };
  setFormatLanguage(language);
}

/** Say everything in a language from now on, and remember it in this browser. */
export async function useLanguage(language: Language): Promise<void> {
  const words = await LOADERS[language]();
  speak(language, words.default, words.sentences);
  document.documentElement.lang = language;
  localStorage.setItem(KEPT, language);
}

/** The language that this browser was told to use, or else the first known one it prefers. */
export function chosenLanguage(): Language {
  const wanted = [localStorage.getItem(KEPT) ?? "", ...navigator.languages];
  const known = wanted.map((tag) => tag.toLowerCase().split("-")[0]);
  return known.find((tag): tag is Language => tag !== undefined && tag in LANGUAGES) ?? "en";
}
