/** Which language the page speaks. */

export const LANGUAGES = ["en", "de", "fr", "es"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Each language's name in itself. */
export const LANGUAGE_NAMES: Record<Language, string> = {
  en: "English",
  de: "Deutsch",
  fr: "Français",
  es: "Español",
};

const KEPT = "hems.language";
let present: Language = "en";

/** The language in use now; the hub is asked for its sentences in it. */
export function presentLanguage(): Language {
  return present;
}

function known(tag: string | null): Language | null {
  const primary = (tag ?? "").toLowerCase().split("-")[0];
  return LANGUAGES.find((language) => language === primary) ?? null;
}

/** The language that this browser was told to use, or else the first known one it prefers. */
export function chosenLanguage(): Language {
  const kept = known(localStorage.getItem(KEPT));
  if (kept !== null) return kept;
  for (const tag of navigator.languages) {
    const language = known(tag);
    if (language !== null) return language;
  }
  return "en";
}

/** Note which language is in use. */
export function keepLanguage(language: Language): void {
  present = language;
  if (known(navigator.languages[0] ?? null) === language) localStorage.removeItem(KEPT);
  else localStorage.setItem(KEPT, language);
}
