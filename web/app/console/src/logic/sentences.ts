/**
 * Sentences of the server in another language. Pure.
 *
 * The server speaks English, with what a sentence is about filled in: "event 7A is over". A language
 * has such sentences with places, "event {id} is over", and its own words for them; what stands in
 * the places is looked up in turn, since a state or a reason may be among it.
 */

import { filled } from "../../../src/logic/translate";

/** A language's words by the server's own, both with the same places. */
export type Sentences = Readonly<Record<string, string>>;

const PLACE = /\{(\w+)\}/;
const DEEPEST = 3;

interface Known {
  pattern: RegExp;
  names: readonly string[];
  words: string;
}

const patterns = new WeakMap<Sentences, readonly Known[]>();

/** Return a sentence in a language's words; the sentence itself where it has none. */
export function sentenceIn(sentences: Sentences, sentence: string, deep = 0): string {
  if (Object.hasOwn(sentences, sentence)) return sentences[sentence] ?? sentence;
  if (deep === DEEPEST) return sentence;
  for (const { pattern, names, words } of knownOf(sentences)) {
    const found = pattern.exec(sentence);
    if (found === null) continue;
    return filled(words, Object.fromEntries(names.map((name, n) => [name, sentenceIn(sentences, found[n + 1] ?? "", deep + 1)])));
  }
  return sentence;
}

/** Return a language's sentences that have places, those with the most words of their own first. */
function knownOf(sentences: Sentences): readonly Known[] {
  let known = patterns.get(sentences);
  if (known === undefined) {
    known = Object.entries(sentences)
      .filter(([english]) => PLACE.test(english))
      .sort(([one], [other]) => ownLength(other) - ownLength(one))
      .map(([english, words]) => knownAs(english, words));
    patterns.set(sentences, known);
  }
  return known;
}

/** Split at each place: words and names take turns. */
function partsOf(english: string): string[] {
  return english.split(PLACE);
}

function ownLength(english: string): number {
  return partsOf(english).reduce((sum, part, n) => (n % 2 === 0 ? sum + part.length : sum), 0);
}

function knownAs(english: string, words: string): Known {
  const parts = partsOf(english);
  const pattern = parts.map((part, n) => (n % 2 === 0 ? part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`) : "(.+?)")).join("");
  return { pattern: new RegExp(`^${pattern}$`, "s"), names: parts.filter((_, n) => n % 2 === 1), words };
}
