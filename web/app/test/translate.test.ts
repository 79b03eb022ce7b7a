import { describe, expect, it } from "vitest";
import { LANGUAGES } from "../src/logic/language";
import { filled, formFor, pieces, textOf, textsOf, told } from "../src/logic/translate";
import { TEXTS } from "./say";

const MESSAGES = {
  home: { taking: "Taking {power} from {where}", steps: ["First", "Then"] },
  days: "{n} day | {n} days",
  left: "none left | one left early | {n} left early",
};

describe("a text by its key", () => {
  it.each([
    ["home.taking", "Taking {power} from {where}"],
    ["days", "{n} day | {n} days"],
    ["home", undefined],
    ["home.steps", undefined],
    ["home.steps.0", undefined],
    ["home.nothing", undefined],
    ["home.taking.more", undefined],
    ["home.taking.length", undefined],
    ["constructor.name", undefined],
    ["home.toString", undefined],
    ["", undefined],
  ])("%s", (key, text) => expect(textOf(MESSAGES, key)).toBe(text));

  it("is one of several where there are several", () => {
    expect(textsOf(MESSAGES, "home.steps")).toEqual(["First", "Then"]);
    expect(textsOf(MESSAGES, "home.taking")).toEqual([]);
    expect(textsOf(MESSAGES, "steps")).toEqual([]);
  });
});

describe("what is filled in", () => {
  it.each([
    ["{power} from {where}", { power: "1 kW", where: "there" }, "1 kW from there"],
    ["{power} and {power}", { power: 3 }, "3 and 3"],
    ["{power}", {}, ""],
    ["{power}", { power: null }, ""],
    ["{power}", { power: 0 }, "0"],
    ["{power}", { power: "$& {where}", where: "no" }, "$& {where}"],
    ["no place", { power: 3 }, "no place"],
  ])("%s with %o", (text, named, expected) => expect(filled(text, named)).toBe(expected));

  it("stands in its place, element by element", () => {
    expect(pieces("{a} of {b}.")).toEqual([
      { words: "", name: "a" },
      { words: " of ", name: "" },
      { words: "", name: "b" },
      { words: ".", name: "" },
    ]);
    expect(pieces("plain")).toEqual([{ words: "plain", name: "" }]);
  });

  it.each(LANGUAGES)("is all of a text, in %s", (language) => {
    for (const [key, text] of leaves(TEXTS[language])) {
      const again = pieces(text).map(({ words, name }) => (name === "" ? words : `{${name}}`));
      expect(again.join(""), key).toBe(text);
      // A brace that is no place would be shown as it is.
      expect(filled(text, {}), key).not.toMatch(/[{}]/);
    }
  });
});

describe("how many", () => {
  it.each([
    ["en", 0, "none", "several"],
    ["en", 1, "one", "one"],
    ["en", 2, "several", "several"],
    ["en", 1_000_000, "several", "several"],
    ["de", 0, "none", "several"],
    ["de", 1, "one", "one"],
    ["es", 0, "none", "several"],
    ["es", 1, "one", "one"],
    ["es", 1_000_000, "several", "several"],
    ["fr", 0, "none", "one"],
    ["fr", 1, "one", "one"],
    ["fr", 2, "several", "several"],
    ["fr", 1_000_000, "several", "several"],
  ])("in %s, %i: %s of three forms, %s of two", (language, count, ofThree, ofTwo) => {
    expect(formFor("none | one | several", count, language)).toBe(ofThree);
    expect(formFor("one | several", count, language)).toBe(ofTwo);
  });

  it("is no question where there is one form", () => {
    expect(formFor("{n} of them", 1, "en")).toBe("{n} of them");
  });
});

describe("what is told", () => {
  it.each([
    ["home.taking", { power: "1 kW", where: "there" }, "Taking 1 kW from there"],
    ["days", { n: 1 }, "1 day"],
    ["days", { n: 3 }, "3 days"],
    ["left", { n: 0 }, "none left"],
    ["left", { n: 12 }, "12 left early"],
    ["home.gone", { n: 2 }, "home.gone"],
  ])("%s, %o", (key, named, expected) => expect(told(MESSAGES, "en", key, named)).toBe(expected));
});

function leaves(value: unknown, path = ""): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  return Object.entries(value as object).flatMap(([name, inner]) =>
    leaves(inner, path === "" ? name : `${path}.${name}`),
  );
}
