/** Texts by their key, with what is filled into them: all rules, none of the page's state. */

/** A language's texts, by the parts of their keys. */
export interface Messages {
  readonly [part: string]: string | readonly string[] | Messages;
}

export type Named = Readonly<Record<string, unknown>>;

/** A part of a text: words, or the name of what stands in their place. */
export interface Piece {
  words: string;
  /** Empty where the words stand for themselves. */
  name: string;
}

const PLACE = /\{(\w+)\}/g;
const BETWEEN_FORMS = " | ";

/** Return what is kept under a key ("home.net.taking"); undefined where there is nothing. */
function found(messages: Messages, key: string): Messages[string] | undefined {
  let at: Messages[string] | undefined = messages;
  for (const part of key.split(".")) {
    // Own parts only: a key may end in what the hub says ("constructor").
    if (typeof at !== "object" || Array.isArray(at) || !Object.hasOwn(at, part)) return undefined;
    at = (at as Messages)[part];
  }
  return at;
}

/** Return the text under a key as it is written; undefined where there is none. */
export function textOf(messages: Messages, key: string): string | undefined {
  const text = found(messages, key);
  return typeof text === "string" ? text : undefined;
}

/** Return the texts under a key that has several, one after the other; none where it has none. */
export function textsOf(messages: Messages, key: string): readonly string[] {
  const texts = found(messages, key);
  return Array.isArray(texts) ? (texts as readonly string[]) : [];
}

/** Return the form of a text for so many: of one and several, or of none, one and several. */
export function formFor(text: string, count: number, language: string): string {
  const forms = text.split(BETWEEN_FORMS);
  const several = forms.at(-1) ?? text;
  if (forms.length === 1) return several;
  if (forms.length > 2 && count === 0) return forms[0] ?? several;
  return isOne(count, language) ? (forms.at(-2) ?? several) : several;
}

/** Whether a language speaks of so many as of one: French does of none as well. */
function isOne(count: number, language: string): boolean {
  return new Intl.PluralRules(language).select(count) === "one";
}

/** Return a text with what is named in it filled in. */
export function filled(text: string, named: Named): string {
  return text.replace(PLACE, (_, name: string) => String(named[name] ?? ""));
}

/** Return a text's words and places, one after the other. */
export function pieces(text: string): Piece[] {
  // Each other part is what the pattern has caught.
  return text
    .split(PLACE)
    .map((part, index) => (index % 2 === 0 ? { words: part, name: "" } : { words: "", name: part }))
    .filter(({ words, name }) => words !== "" || name !== "");
}

/**
 * Return the text under a key; the key itself where there is none.
 *
 * @param named What is filled in; `n` is how many it speaks of, which chooses its form.
 */
export function told(messages: Messages, language: string, key: string, named: Named): string {
  const text = textOf(messages, key);
  if (text === undefined) return key;
  return filled(typeof named.n === "number" ? formFor(text, named.n, language) : text, named);
}
