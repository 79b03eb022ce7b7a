import { describe, expect, it } from "vitest";
import type { UpdatesAnswer } from "../src/api/schema";
import { setFormatLanguage } from "../src/logic/format";
import { aboutWords, doable, hoursWords, stageWords } from "../src/logic/updates";
import { plain, say } from "./say";

setFormatLanguage("en");

const NOW = Date.UTC(2026, 5, 18, 12) / 1000;
const IDLE: UpdatesAnswer = {
  runs: "0.1.0",
  warning: "",
  able: true,
  looks: true,
  looked_at: NOW - 3600,
  offer: null,
  stage: "idle",
  version: "",
  until: null,
  hurried: false,
  former: "",
  returned: "",
  error: "",
  automatic: false,
  window: "02:00-05:00",
};
const OFFER: NonNullable<UpdatesAnswer["offer"]> = {
  version: "0.2.0",
  words: "",
  vendor: "hems",
  provider: "utility.example",
  fits: true,
  failed: false,
  put_off: false,
};
const NEW: UpdatesAnswer = { ...IDLE, offer: OFFER };

describe("the hours", () => {
  it.each([
    ["02:00-05:00", "02:00 – 05:00"],
    ["23:00-01:30", "23:00 – 01:30"],
    ["02:00-02:00", "at any time"],
  ])("%s", (window, words) => {
    expect(plain(hoursWords(say, window))).toBe(words);
  });
});

describe("how far a change is", () => {
  it.each([
    [{}, ""],
    [{ stage: "fetching" }, "Version 0.2.0 is being fetched and verified."],
    [{ stage: "beside" }, "Version 0.2.0 is installed beside the one that runs."],
    [{ stage: "armed" }, "Version 0.2.0 begins in these hours: 02:00 – 05:00"],
    [{ stage: "armed", hurried: true }, "Version 0.2.0 begins as soon as no event"],
    [{ stage: "trial", until: NOW + 840 }, "Version 0.2.0 is on trial until 12:14"],
  ] satisfies [Partial<UpdatesAnswer>, string][])("%o", (change, words) => {
    const found = { ...NEW, version: "0.2.0", ...change };
    expect(plain(stageWords(say, found, NOW, "UTC")).slice(0, words.length || 1)).toBe(words);
  });
});

describe("what may be done", () => {
  const nothing = { install: false, putOff: false, back: false };
  const decide = { install: true, putOff: true, back: false };
  it.each([
    [IDLE, nothing],
    [NEW, decide],
    [{ ...NEW, able: false }, { ...nothing, putOff: true }],
    [{ ...NEW, offer: { ...OFFER, fits: false } }, { ...nothing, putOff: true }],
    [{ ...NEW, offer: { ...OFFER, put_off: true } }, { ...nothing, install: true }],
    [{ ...NEW, stage: "fetching" }, { ...nothing, putOff: true }],
    [{ ...NEW, stage: "armed" }, decide],
    [{ ...NEW, stage: "armed", hurried: true }, { ...nothing, putOff: true }],
    [{ ...NEW, stage: "trial", former: "0.1.0" }, { ...nothing, back: true }],
    [{ ...IDLE, former: "0.0.9" }, { ...nothing, back: true }],
  ] satisfies [UpdatesAnswer, object][])("%#", (found, may) => {
    expect(doable(found)).toEqual(may);
  });
});

describe("what else is said", () => {
  it.each([
    [IDLE, "Nothing is installed without your word."],
    [{ ...IDLE, automatic: true }, "Newer versions are installed by themselves"],
    [{ ...IDLE, able: false }, "It was not installed as a package"],
    [{ ...IDLE, looks: false }, "It is not told of newer versions"],
  ] satisfies [UpdatesAnswer, string][])("%#", (found, begins) => {
    expect(aboutWords(say, found)[0]?.startsWith(begins)).toBe(true);
  });
});
