import { describe, expect, it } from "vitest";
import { sentences } from "../src/locales/de";
import { sentenceIn } from "../src/logic/sentences";

describe("sentences of the server", () => {
  it.each([
    ["name and password do not fit", "Name und Passwort passen nicht zusammen"],
    ["its contract lets it be asked for 1000 W at most, not 1500 W", "der Vertrag erlaubt höchstens 1000 W, nicht 1500 W"],
    ["its hub takes no part: quarantined", "der Hub nimmt nicht teil: in Quarantäne"],
    ["hub 1.3.6-00ab cannot become commissioned: it has no site", "Der Hub kann nicht abgenommen werden: er hat keinen Anschluss"],
    ["this takes the role of auditor or admin", "Dafür braucht es die Rolle Prüfer oder Administrator"],
    ["it is lapsed already", "Das ist schon verfallen"],
    ["the clock of home AB12 is 75 s ahead", "Die Uhr von Haus AB12 geht 75 s vor"],
  ])("%s", (english, german) => {
    expect(sentenceIn(sentences, english)).toBe(german);
  });

  it("stay as they are where there are no words for them, and in English", () => {
    for (const each of ["something new went wrong", "constructor", "", "its hub takes no part: "]) {
      expect(sentenceIn(sentences, each)).toBe(each);
    }
    expect(sentenceIn({}, "event 7 is over")).toBe("event 7 is over");
  });

  it("keep what homes and people called things", () => {
    for (const name of ["$& $1", "{who}", "<b>", "made in\nHamburg"]) {
      expect(sentenceIn(sentences, `home ${name} asked 7 times in one minute`)).toBe(`Haus ${name} fragte 7-mal in einer Minute`);
    }
  });

  it("have the same places in German", () => {
    const places = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort().join();
    const more = Object.entries(sentences).filter(([english, german]) => {
      const known = new Set(places(english).split(","));
      return places(german).split(",").some((place) => place !== "" && !known.has(place));
    });
    expect(more).toEqual([]);
  });
});
