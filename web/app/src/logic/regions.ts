/** By which regional habits each language writes its figures and times. */

import type { Language } from "./language";

export const REGIONS: Record<Language, string> = {
  en: "en-GB",
  de: "de-DE",
  fr: "fr-FR",
  es: "es-ES",
};

/**
 * Have the browser read what it knows of how a language writes figures and times.
 *
 * It does so once, when the first of these is made, and that takes a phone a tenth of a second.
 */
export function readHabits(language: Language): void {
  const region = REGIONS[language];
  new Intl.NumberFormat(region).format(0);
  new Intl.DateTimeFormat(region).format(0);
}
