import { describe, expect, it } from "vitest";
import type { SettingAnswer } from "../src/api/schema";
import { endOf, fieldOf, piecesOf, type Band } from "../src/logic/bands";
import { usualIn, zonesWith } from "../src/logic/places";
import { boundOf, filledIn, same, shown } from "../src/logic/setting";

const NIGHT: Band = { price: 0.2, begins: "22:00", ends: "06:00", days: "all" };
const PEAK: Band = { price: 0.5, begins: "17:00", ends: "20:00", days: "weekdays" };

function setting(kind: SettingAnswer["kind"], value: SettingAnswer["value"]): SettingAnswer {
  return {
    key: "a.b",
    group: "g",
    kind,
    choices: [],
    least: null,
    most: null,
    value,
    fixed: false,
  };
}

describe("a day's prices", () => {
  it("fills the whole day, over midnight and by the kind of day", () => {
    expect(piecesOf([NIGHT, PEAK], 0.3, false)).toEqual([
      { from: 0, to: 360, price: 0.2 },
      { from: 360, to: 1020, price: 0.3 },
      { from: 1020, to: 1200, price: 0.5 },
      { from: 1200, to: 1320, price: 0.3 },
      { from: 1320, to: 1440, price: 0.2 },
    ]);
    expect(piecesOf([NIGHT, PEAK], 0.3, true).map((piece) => piece.price)).toEqual([0.2, 0.3, 0.2]);
    expect(piecesOf([], 0.3, false)).toEqual([{ from: 0, to: 1440, price: 0.3 }]);
  });

  it("takes the first of two bands that overlap, as the hub does", () => {
    const both = [{ ...NIGHT, price: 0.1 }, NIGHT];
    expect(piecesOf(both, 0.3, false)[0]?.price).toBe(0.1);
  });

  it("knows midnight as an end", () => {
    expect(endOf("00:00")).toBe("24:00");
    expect(fieldOf("24:00")).toBe("00:00");
    expect(endOf("06:30")).toBe("06:30");
  });
});

describe("a setting", () => {
  it.each([
    ["power", 4500, "4.5"],
    ["share", 0.15, "15"],
    ["duration", 3600, "60"],
    ["slope", 1500, "1.5"],
    ["current", 35, "35"],
  ] as const)("%s comes back as it was", (kind, value, text) => {
    const each = setting(kind, value);
    expect(shown(each)).toBe(text);
    expect(filledIn(each, text)).toBe(value);
    expect(filledIn(each, "")).toBeNull();
  });

  it("reads a comma as a decimal mark", () => {
    expect(filledIn(setting("power", null), "4,5")).toBe(4500);
  });

  it("keeps lists, flags and texts", () => {
    const names = setting("texts", ["a", "b"]);
    expect(filledIn(names, `${String(shown(names))}\n\n c `)).toEqual(["a", "b", "c"]);
    expect(filledIn(setting("flag", true), false)).toBe(false);
    expect(filledIn(setting("text", "x"), " y ")).toBe("y");
    expect(same(["a"], ["a"])).toBe(true);
    expect(boundOf(setting("share", 0.1), 0.95)).toBe(95);
  });
});

describe("what is usual", () => {
  it("is a guess by place, and none where nothing is known", () => {
    expect(usualIn("Europe/Berlin")).toMatchObject({ phases: "3", breaker: 35 });
    expect(usualIn("Australia/Lord_Howe")?.currency).toBe("AUD");
    expect(usualIn("America/New_York")).toBeNull();
  });

  it("offers a zone that the browser does not know", () => {
    expect(zonesWith("Mars/Olympus")[0]).toBe("Mars/Olympus");
    expect(zonesWith("Europe/Paris").filter((each) => each === "Europe/Paris")).toHaveLength(1);
  });
});
