/** What the page says: for each language the words of its first view, and all of them. */

import type { Language } from "../logic/language";
import type { Messages } from "../logic/translate";

type Loaders = Record<Language, () => Promise<{ default: Messages }>>;

const FIRST: Loaders = {
  en: () => import("./en/first"),
  fr: () => import("./fr/first"),
  de: () => import("./de/first"),
  es: () => import("./es/first"),
};

const ALL: Loaders = {
  en: () => import("./en"),
  fr: () => import("./fr"),
  de: () => import("./de"),
  es: () => import("./es"),
};

/** Return what the first view and the shell around it say in a language. */
export async function firstMessagesIn(language: Language): Promise<Messages> {
  return (await FIRST[language]()).default;
}

/** Return all that the page says in a language. */
export async function messagesIn(language: Language): Promise<Messages> {
  return (await ALL[language]()).default;
}
