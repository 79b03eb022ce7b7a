import { describe, expect, it } from "vitest";
import type { ProgrammeAnswer } from "../src/api/types";
import { joinedWords } from "../src/logic/programmes";

const PROGRAMME: ProgrammeAnswer = {
  id: "peak-shaving",
  about: {
    use_cases: ["BUC-1"],
    title: "Peak shaving",
    triggered_by: "",
    asks: "",
    ends: "",
    carried_by: [],
    clause: "",
    latency: "minutes",
    leaving: "",
  },
  standing: {
    active: false,
    down_w: 0,
    up_w: 0,
    energy_wh: null,
    for_s: null,
    promise: "",
    words: "",
  },
  manner: "agreed",
  joined: true,
  bound: "",
  decided_by: "",
  decided_at: null,
  until: null,
  version: "x",
  consequence: [],
};

describe("joinedWords", () => {
  it("says who decided only where somebody has", () => {
    expect(joinedWords(PROGRAMME)).toBe("Taking part");
    expect(joinedWords({ ...PROGRAMME, joined: false, decided_by: "Ada" })).toBe(
      "Not taking part, said Ada",
    );
  });
});
