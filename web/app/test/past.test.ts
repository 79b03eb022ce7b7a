import { beforeAll, describe, expect, it } from "vitest";
import { setFormatLanguage } from "../src/logic/format";
import { move, placeOf, question, readPlace, title, turnTo, within, type Place } from "../src/logic/past";

const TODAY = "2026-06-17"; // a Wednesday

beforeAll(() => setFormatLanguage("en"));

describe("readPlace", () => {
  it.each<[unknown, unknown, Place]>([
    ["month", "2026-02", { span: "month", at: "2026-02" }],
    ["year", "2024", { span: "year", at: "2024" }],
    ["day", "2024-02-29", { span: "day", at: "2024-02-29" }],
    ["hour", "2026-10-25T02", { span: "hour", at: "2026-10-25T02" }],
    ["week", "2026-06-14", { span: "week", at: "2026-06-08" }], // a Sunday: its Monday
  ])("%s %s", (span, at, place) => {
    expect(readPlace(span, at, TODAY)).toEqual(place);
  });

  it.each<[unknown, unknown, Place]>([
    [undefined, undefined, { span: "day", at: TODAY }],
    ["decade", "2020", { span: "day", at: TODAY }],
    ["day", "2026-02-30", { span: "day", at: TODAY }],
    ["month", "2026-13", { span: "month", at: "2026-06" }],
    ["year", "0001", { span: "year", at: "2026" }],
    ["hour", "2026-06-14T24", { span: "hour", at: "2026-06-17T12" }],
    ["day", ["2026-06-14", "2026-06-15"], { span: "day", at: TODAY }],
  ])("what is no place is today's: %s %s", (span, at, place) => {
    expect(readPlace(span, at, TODAY)).toEqual(place);
  });
});

describe("move", () => {
  it.each<[Place, number, string]>([
    [{ span: "hour", at: "2026-06-14T23" }, 1, "2026-06-15T00"],
    [{ span: "day", at: "2026-03-01" }, -1, "2026-02-28"],
    [{ span: "week", at: "2025-12-29" }, 1, "2026-01-05"],
    [{ span: "month", at: "2025-12" }, 1, "2026-01"],
    [{ span: "year", at: "2026" }, -1, "2025"],
  ])("%o by %i", (place, by, at) => {
    expect(move(place, by)).toEqual({ span: place.span, at });
    expect(move(move(place, by), -by)).toEqual(place);
  });
});

describe("question", () => {
  it.each<[Place, string, string, string]>([
    [{ span: "hour", at: "2026-06-14T23" }, "2026-06-14T23:00", "2026-06-15T00:00", "minute"],
    [{ span: "day", at: "2026-03-29" }, "2026-03-29", "2026-03-30", "hour"],
    [{ span: "week", at: "2026-06-08" }, "2026-06-08", "2026-06-15", "day"],
    [{ span: "month", at: "2026-12" }, "2026-12-01", "2027-01-01", "day"],
    [{ span: "year", at: "2026" }, "2026-01-01", "2027-01-01", "month"],
  ])("%o", (place, from, to, step) => {
    expect(question(place, null)).toEqual({ from, to, step });
    expect(question(place, "year")).toEqual({ from, to, step, compare: "year" });
  });
});

it("turns to another span around what is looked at, and to today where that is in sight", () => {
  const june = { span: "month", at: "2026-06" } as const;
  expect(turnTo(june, "day", TODAY)).toEqual({ span: "day", at: TODAY });
  expect(turnTo(june, "year", TODAY)).toEqual({ span: "year", at: "2026" });
  expect(turnTo({ span: "month", at: "2025-02" }, "week", TODAY)).toEqual(placeOf("week", "2025-02-01"));
});

it("leads from a step to a closer look", () => {
  expect(within({ span: "year", at: "2026" }, "2026-03-01T00:00")).toEqual({ span: "month", at: "2026-03" });
  expect(within({ span: "month", at: "2026-03" }, "2026-03-29T00:00")).toEqual({ span: "day", at: "2026-03-29" });
  expect(within({ span: "day", at: "2026-10-25" }, "2026-10-25T02:00")).toEqual({ span: "hour", at: "2026-10-25T02" });
  expect(within({ span: "hour", at: "2026-10-25T02" }, "2026-10-25T02:01")).toBeNull();
});

it.each<[Place, string]>([
  [{ span: "day", at: TODAY }, "Today"],
  [{ span: "day", at: "2026-06-14" }, "Sunday, 14 June 2026"],
  [{ span: "month", at: "2026-06" }, "June 2026"],
  [{ span: "week", at: "2026-06-08" }, "8 Jun – 14 Jun 2026"],
  [{ span: "year", at: "2026" }, "2026"],
  [{ span: "hour", at: "2026-06-14T23" }, "Sunday, 14 June 2026, 23:00 – 00:00"],
])("is called as people call it: %o", (place, name) => {
  expect(title(place, TODAY)).toBe(name);
});
