import { describe, expect, it } from "vitest";
import { textOf } from "../../src/logic/translate";
import { KINDS } from "../src/logic/kinds";
import { ANSWERS, HUB_STATES } from "../src/logic/states";
import { TEXTS } from "./words";

/** Return the texts of a language by key: "events.form.start". */
function leaves(value: unknown, path = ""): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  return Object.entries(value as object).flatMap(([name, inner]) => leaves(inner, path === "" ? name : `${path}.${name}`));
}

function places(text: string): string {
  return [...new Set(text.match(/\{[^}]*\}/g) ?? [])].sort().join();
}

const english = new Map(leaves(TEXTS.en));
const german = new Map(leaves(TEXTS.de));
const sources = import.meta.glob<string>("../src/**/*.{vue,ts}", { query: "?raw", import: "default", eager: true });

describe("the console's words", () => {
  it("are there in German as in English", () => {
    expect([...german.keys()].sort()).toEqual([...english.keys()].sort());
  });

  it("take the same and have the same forms", () => {
    const wrong = [...german].filter(([key, text]) => {
      const other = english.get(key) ?? "";
      return places(text) !== places(other) || text.split(" | ").length !== other.split(" | ").length;
    });
    expect(wrong).toEqual([]);
  });

  it("are there for each key that a view names", () => {
    const named = Object.entries(sources).flatMap(([file, text]) =>
      [...text.matchAll(/\bt\(\s*"([\w.]+)"/g)].map(([, key]) => `${file}: ${key}`),
    );
    expect(named.length).toBeGreaterThan(100);
    expect(named.filter((each) => textOf(TEXTS.en, each.split(": ")[1] ?? "") === undefined)).toEqual([]);
  });

  it("are there for whatever is put together", () => {
    const made = [
      ...KINDS.flatMap(({ field }) => [`events.kinds.${field}`, `events.about.${field}`, `events.asks.${field}`]),
      ...ANSWERS.map(([name]) => `events.answers.${name}`),
      ...HUB_STATES.map((state) => `hubs.states.${state}`),
      ...["overview", "groups", "events", "hubs", "trail"].map((name) => `shell.${name}`),
      ...["now", "in", "at"].map((start) => `events.form.starts.${start}`),
      ...["value", "lead", "at", "minutes"].map((name) => `events.form.bad${name[0]?.toUpperCase()}${name.slice(1)}`),
      ...["shed", "generate", "absorb"].map((way) => `groups.able.${way}`),
    ];
    expect(made.filter((key) => !english.has(key))).toEqual([]);
  });
});
