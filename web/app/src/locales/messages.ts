/** What the page says, one chunk a language. */

import type { Language } from "../logic/language";

export type Messages = Record<string, Record<string, unknown>>;

const LOADERS: Record<Language, () => Promise<{ default: Messages }>> = {
  en: () => import("./en"),
  fr: () => import("./fr"),
  de: () => import("./de"),
  es: () => import("./es"),
};

/** Return all that the page says in a language. */
export async function messagesIn(language: Language): Promise<Messages> {
  return (await LOADERS[language]()).default;
}
