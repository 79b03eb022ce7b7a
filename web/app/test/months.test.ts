import { describe, expect, it } from "vitest";
import { dayStart, lastMonths, monthOf } from "../src/logic/months";

const UTC = (text: string): number => Date.parse(text) / 1000;

describe("dayStart", () => {
  it.each([
    ["2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00Z"], // the day of 23 h
    ["2026-03-30", "Europe/Berlin", "2026-03-29T22:00:00Z"],
    ["2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00Z"], // the day of 25 h
    ["2026-10-26", "Europe/Berlin", "2026-10-25T23:00:00Z"],
    ["2026-06-01", "Asia/Kolkata", "2026-05-31T18:30:00Z"],
    ["2026-04-05", "Australia/Lord_Howe", "2026-04-04T13:00:00Z"], // half an hour of change
    ["2026-04-06", "Australia/Lord_Howe", "2026-04-05T13:30:00Z"],
    ["2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00Z"], // its midnight is skipped
    ["2026-01-01", "UTC", "2026-01-01T00:00:00Z"],
    ["2026-01-01", "Pacific/Kiritimati", "2025-12-31T10:00:00Z"],
  ])("%s in %s", (day, zone, begins) => {
    expect(dayStart(day, zone)).toBe(UTC(begins));
  });
});

describe("months", () => {
  it("begin and end on the home's clock", () => {
    const march = monthOf(UTC("2026-02-28T23:30:00Z"), "Europe/Berlin");
    expect(march).toEqual({
      key: "2026-03",
      start: UTC("2026-02-28T23:00:00Z"),
      end: UTC("2026-03-31T22:00:00Z"),
    });
  });

  it("go back over the turn of a year, each ending where the next begins", () => {
    const found = lastMonths(UTC("2026-02-10T00:00:00Z"), 4, "Europe/Berlin");
    expect(found.map((m) => m.key)).toEqual(["2026-02", "2026-01", "2025-12", "2025-11"]);
    found.slice(1).forEach((month, i) => expect(month.end).toBe(found[i]?.start));
  });
});
