import { describe, expect, it } from "vitest";
import * as format from "../src/logic/format";

const plain = (text: string): string => text.replaceAll("\u00a0", " ");
const BERLIN = "Europe/Berlin";
const AFTERNOON = Date.UTC(2026, 5, 17, 12, 20) / 1000; // 14:20 in Berlin

describe("power", () => {
  it.each([
    [null, "\u2013 kW"],
    [0, "0 W"],
    [-7.4, "7 W"],
    [641, "640 W"],
    [994.9, "990 W"],
    [995, "1.0 kW"],
    [1410, "1.4 kW"],
    [-12_345, "12.3 kW"],
  ])("%s W reads %s", (watts, text) => expect(plain(format.power(watts))).toBe(text));
});

describe("span and countdown", () => {
  it.each([
    [-3, "0 s", "0:00"],
    [42.9, "42 s", "0:43"],
    [60, "1 min", "1:00"],
    [3599, "59 min", "59:59"],
    [3600, "1 h", "1 h"],
    [12_000, "3 h 20 min", "3 h 20 min"],
    [200_000, "2 days", "2 days"],
  ])("%s s", (seconds, span, countdown) => {
    expect(plain(format.span(seconds))).toBe(span);
    expect(plain(format.countdown(seconds))).toBe(countdown);
  });
});

describe("moments in the home's zone", () => {
  it.each([
    [AFTERNOON, "14:20"],
    [AFTERNOON + 9.5 * 3600, "23:50"],
    [AFTERNOON + 10 * 3600, "tomorrow 00:20"],
    [AFTERNOON - 24 * 3600, "yesterday 14:20"],
    [AFTERNOON + 72 * 3600, "Sat 20 Jun 14:20"],
  ])("%s", (at, text) =>
    expect(format.moment(at, AFTERNOON, BERLIN).replace(",", "")).toBe(text),
  );

  it("names the day of an interval once", () => {
    const text = format.interval(AFTERNOON, AFTERNOON + 2400, AFTERNOON, BERLIN);
    expect(text).toBe("14:20 to 15:00");
  });

  it("names the second day of an interval over midnight", () => {
    const text = format.interval(AFTERNOON, AFTERNOON + 36_000, AFTERNOON, BERLIN);
    expect(text).toBe("14:20 to tomorrow 00:20");
  });

  it("says so where there is no end", () => {
    const text = format.interval(AFTERNOON, null, AFTERNOON, BERLIN);
    expect(text).toBe("from 14:20, until further notice");
  });
});

describe("days", () => {
  it.each([
    ["2026-06-17", "Today"],
    ["2026-06-16", "Yesterday"],
    ["2026-06-10", "Wednesday 10 June"],
  ])("%s", (day, name) =>
    expect(format.dayName(day, "2026-06-17").replace(",", "")).toBe(name),
  );

  it("are counted over the turn of a year and a leap day", () => {
    expect(format.shiftDay("2026-01-01", -1)).toBe("2025-12-31");
    expect(format.shiftDay("2028-02-28", 1)).toBe("2028-02-29");
  });
});
