/** The page's languages: what it says lies in `locales/`. */

import { createI18n } from "vue-i18n";
import { setFormatLanguage } from "./logic/format";
import { firstMessagesIn, messagesIn } from "./locales/messages";
import { chosenLanguage, keepLanguage, presentLanguage, type Language } from "./logic/language";

export const i18n = createI18n({
  legacy: false,
  locale: "en",
  fallbackLocale: "en",
  missingWarn: import.meta.env.DEV,
  fallbackWarn: false,
});

/** Whether more than the first view is spoken of by now. */
let everything = false;

/** Load what all views say; the first one does with less. */
export async function sayEverything(): Promise<void> {
  if (everything) return;
  const language = presentLanguage();
  i18n.global.setLocaleMessage(language, (await messagesIn(language)) as never);
  everything = true;
}

/** Say everything in a language from now on, and remember it in this browser. */
export async function useLanguage(language: Language): Promise<void> {
  const messages = await (everything ? messagesIn(language) : firstMessagesIn(language));
  i18n.global.setLocaleMessage(language, messages as never);
  i18n.global.locale.value = language as never;
  setFormatLanguage(language);
  document.documentElement.lang = language;
  keepLanguage(language);
}

/** Load the language that this browser was told, or that its user reads: for the first view or all. */
export async function prepareLanguage(forView: "first" | "any"): Promise<void> {
  everything = forView === "any";
  await useLanguage(chosenLanguage());
}
