import { describe, expect, it } from "vitest";
import { LANGUAGES } from "../src/logic/language";
import { TEXTS } from "./say";

/** Return the texts of a language by key: "home.net.taking". */
function leaves(value: unknown, path = ""): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  return Object.entries(value as object).flatMap(([name, inner]) =>
    leaves(inner, path === "" ? name : `${path}.${name}`),
  );
}

/** Return the placeholders of a text, one of a kind, sorted; of each plural form the same. */
function places(text: string): string[] {
  return [...new Set(text.match(/\{[^}]*\}/g) ?? [])].sort();
}

function forms(text: string): number {
  return text.split(" | ").length;
}

const english = new Map(leaves(TEXTS.en));
const others = LANGUAGES.filter((language) => language !== "en");

describe.each(others)("in %s", (language) => {
  const told = new Map(leaves(TEXTS[language]));

  it("there is a text for each English one, and no other", () => {
    const missing = [...english.keys()].filter((key) => !told.has(key));
    const spare = [...told.keys()].filter((key) => !english.has(key));
    expect({ missing, spare }).toEqual({ missing: [], spare: [] });
  });

  it("each text takes what the English one takes", () => {
    const wrong = [...told].filter(
      ([key, text]) => places(text).join() !== places(english.get(key) ?? "").join(),
    );
    expect(wrong).toEqual([]);
  });

  it("says something where English does", () => {
    const empty = [...told].filter(
      ([key, text]) => (text.trim() === "") !== ((english.get(key) ?? "").trim() === ""),
    );
    expect(empty).toEqual([]);
  });

  it("has a plural where English has one", () => {
    const wrong = [...told].filter(
      ([key, text]) => (forms(text) > 1) !== (forms(english.get(key) ?? "") > 1),
    );
    expect(wrong).toEqual([]);
  });
});
