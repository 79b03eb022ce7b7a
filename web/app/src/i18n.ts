/** The page's languages: what it says lies in `locales/`; what shows it follows their change. */

import { computed, shallowRef, type ComputedRef, type FunctionalComponent, type VNode } from "vue";
import { firstMessagesIn, messagesIn } from "./locales/messages";
import { setFormatLanguage } from "./logic/format";
import { chosenLanguage, keepLanguage, presentLanguage, type Language } from "./logic/language";
import { pieces, textOf, textsOf, told, type Messages, type Named } from "./logic/translate";

const spoken = shallowRef<{ language: Language; messages: Messages }>({
  language: "en",
  messages: {},
});
const locale = computed(() => spoken.value.language);

/** Whether more than the first view is spoken of by now. */
let everything = false;

/** Return a text by its key, with what is named filled in; of several forms that for `n`. */
export function t(key: string, named: Named | number = {}): string {
  const { messages, language } = spoken.value;
  return told(messages, language, key, typeof named === "number" ? { n: named } : named);
}

/** Whether there is a text under a key. */
export function te(key: string): boolean {
  return textOf(spoken.value.messages, key) !== undefined;
}

/** Return the texts under a key that has several. */
export function texts(key: string): readonly string[] {
  return textsOf(spoken.value.messages, key);
}

interface Speech {
  t: typeof t;
  te: typeof te;
  texts: typeof texts;
  locale: ComputedRef<Language>;
}

/** What a component speaks by. */
export function useI18n(): Speech {
  return { t, te, texts, locale };
}

/** A text in which elements stand in the places: those of the slots with their names. */
export const TextAround: FunctionalComponent<
  { of: string },
  Record<string, never>,
  Record<string, () => VNode[]>
> = ({ of }, { slots }) =>
  pieces(textOf(spoken.value.messages, of) ?? of).map(({ words, name }) => (name === "" ? words : slots[name]?.()));
TextAround.props = ["of"];

/** Say everything by these words from now on, and write figures and times as their language does. */
export function speak(language: Language, messages: Messages): void {
  spoken.value = { language, messages };
  setFormatLanguage(language);
}

/** Load what all views say; the first one does with less. */
export async function sayEverything(): Promise<void> {
  if (everything) return;
  const language = presentLanguage();
  const messages = await messagesIn(language);
  if (language !== presentLanguage()) return sayEverything();
  // Within the same language, so that what stands on the page is not drawn anew.
  spoken.value.messages = messages;
  everything = true;
}

/** Load what is to be said in a language, of which more may be asked for meanwhile. */
async function wordsIn(language: Language): Promise<Messages> {
  const all = everything;
  const words = await (all ? messagesIn(language) : firstMessagesIn(language));
  return all === everything ? words : wordsIn(language);
}

/** Say everything in a language from now on, and remember it in this browser. */
export async function useLanguage(language: Language): Promise<void> {
  speak(language, await wordsIn(language));
  document.documentElement.lang = language;
  keepLanguage(language);
}

/** Load the language that this browser was told, or that its user reads: for the first view or all. */
export async function prepareLanguage(forView: "first" | "any"): Promise<void> {
  everything = forView === "any";
  await useLanguage(chosenLanguage());
}
