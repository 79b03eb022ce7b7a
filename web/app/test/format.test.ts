import { afterEach, describe, expect, it } from "vitest";
import { computed } from "vue";
import type { Language } from "../src/logic/language";
import * as format from "../src/logic/format";
import { plain } from "./say";

const BERLIN = "Europe/Berlin";
const AFTERNOON = Date.UTC(2026, 5, 17, 12, 20) / 1000; // 14:20 in Berlin

afterEach(() => format.setFormatLanguage("en"));

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
    [AFTERNOON + 366 * 24 * 3600, "18 Jun 2027 14:20"],
  ])("%s", (at, text) =>
    expect(format.moment(at, AFTERNOON, BERLIN).replace(",", "")).toBe(text),
  );

  it("knows the day after a day of 25 hours", () => {
    const evening = Date.UTC(2026, 9, 24, 22, 30) / 1000; // 00:30 on the day the clocks go back
    expect(format.moment(evening + 24.5 * 3600, evening, BERLIN)).toBe("tomorrow 00:00");
    expect(format.moment(evening + 24 * 3600, evening, BERLIN)).toBe("23:30");
  });

  it("names the day of an interval once", () => {
    const text = format.interval(AFTERNOON, AFTERNOON + 2400, AFTERNOON, BERLIN);
    expect(plain(text)).toBe("14:20 \u2013 15:00");
  });

  it("names the second day of an interval over midnight", () => {
    const text = format.interval(AFTERNOON, AFTERNOON + 36_000, AFTERNOON, BERLIN);
    expect(plain(text)).toBe("14:20 \u2013 tomorrow 00:20");
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

describe("money and mass", () => {
  it.each([
    [0.312, "EUR", "\u20ac0.312", "\u20ac0.31"],
    [-0.05, "EUR", "-\u20ac0.05", "-\u20ac0.05"],
    [2, "", "2.00", "2.00"],
    [2, "kWh", "2.00", "2.00"],
  ])("%s %s", (value, currency, price, amount) => {
    expect(format.money(value, currency)).toBe(price);
    expect(format.amount(value, currency)).toBe(amount);
  });
  it.each([
    [0.42, "420 g"],
    [2.31, "2.3 kg"],
    [128.4, "128 kg"],
  ])("%s kg", (kilograms, text) => expect(plain(format.mass(kilograms))).toBe(text));
});

describe("another language", () => {
  const rows: [Language, string, string, string, string][] = [
    ["de", "1,4 kW", "0,31 \u20ac", "morgen 00:20", "vor 3 Tagen"],
    ["fr", "1,4 kW", "0,31 \u20ac", "demain 00:20", "il y a 3 jours"],
    ["es", "1,4 kW", "0,31 \u20ac", "ma\u00f1ana 00:20", "hace 3 d\u00edas"],
  ];
  it.each(rows)("%s has habits of its own", (language, power, amount, moment, ago) => {
    format.setFormatLanguage(language);
    expect(plain(format.power(1410))).toBe(power);
    expect(plain(format.amount(0.312, "EUR"))).toBe(amount);
    expect(format.moment(AFTERNOON + 36_000, AFTERNOON, BERLIN)).toBe(moment);
    expect(plain(format.daysAgo(3 * 86_400 + 5))).toBe(ago);
  });

  it("is followed by what has been computed already", () => {
    const shown = computed(() => plain(format.power(1410)));
    expect(shown.value).toBe("1.4 kW");
    format.setFormatLanguage("de");
    expect(shown.value).toBe("1,4 kW");
  });
});
