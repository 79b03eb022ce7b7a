/** Figures and times as the reader's language writes them; what shows them follows its change. */

import { ref } from "vue";
import type { Language } from "./language";
import { REGIONS } from "./regions";

const region = ref(REGIONS.en);

/** Below this a power counts as nothing: meters and inverters flicker by a few watts. */
export const NOTHING_W = 20;

const DAY_S = 86_400;
const SPACE = "\u00a0";
const DASH = "\u2013";

/** Write figures and times as a language does from now on. */
export function setFormatLanguage(language: Language): void {
  region.value = REGIONS[language];
}

/** Making one of these takes longer than using it a hundred times. */
const kept = new Map<string, unknown>();

function keep<Made>(kind: string, options: object, make: (tag: string) => Made): Made {
  const key = `${kind} ${region.value} ${JSON.stringify(options)}`;
  const found = kept.get(key) as Made | undefined;
  if (found !== undefined) return found;
  const made = make(region.value);
  kept.set(key, made);
  return made;
}

function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  return keep("number", options, (tag) => new Intl.NumberFormat(tag, options));
}

function dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return keep("date", options, (tag) => new Intl.DateTimeFormat(tag, options));
}

function relative(options: Intl.RelativeTimeFormatOptions): Intl.RelativeTimeFormat {
  return keep("relative", options, (tag) => new Intl.RelativeTimeFormat(tag, options));
}

function oneDigit(value: number): string {
  return numbers({ minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value);
}

/** A figure and its unit, apart, so that they can be set apart. */
export interface Figure {
  value: string;
  unit: string;
}

/** Return the size of a power, without its sign: "640 W", "1.4 kW"; a dash if it is not known. */
export function powerFigure(watts: number | null): Figure {
  if (watts === null) return { value: DASH, unit: "kW" };
  const size = Math.abs(watts);
  if (Math.round(size / 10) * 10 < 1000) {
    return { value: String(size < 100 ? Math.round(size) : Math.round(size / 10) * 10), unit: "W" };
  }
  return { value: oneDigit(size / 1000), unit: "kW" };
}

export function power(watts: number | null): string {
  const { value, unit } = powerFigure(watts);
  return `${value}${SPACE}${unit}`;
}

/** Return an energy in kWh, without its sign. */
export function energy(wattHours: number): string {
  return `${oneDigit(Math.abs(wattHours) / 1000)}${SPACE}kWh`;
}

/** Return a mass, in kilogrammes or, below one, in grammes. */
export function mass(kilograms: number): string {
  const unit = Math.abs(kilograms) < 1 ? "gram" : "kilogram";
  const value = unit === "gram" ? kilograms * 1000 : kilograms;
  const maximumFractionDigits = unit === "gram" || Math.abs(value) >= 100 ? 0 : 1;
  return numbers({ style: "unit", unit, maximumFractionDigits }).format(value);
}

/** Return how large a file is. */
export function fileSize(octets: number): string {
  const [unit, value] = octets < 1e6 ? ["kilobyte", octets / 1e3] : ["megabyte", octets / 1e6];
  return numbers({ style: "unit", unit, maximumFractionDigits: 1 }).format(value);
}

/** Return a bare figure with at most so many decimals. */
export function decimal(value: number, most: number): string {
  return numbers({ maximumFractionDigits: most }).format(value);
}

/** Return a share between 0 and 1 as whole per cent. */
export function percent(share: number): string {
  return `${Math.round(share * 100)}${SPACE}%`;
}

/** Return a price; the figure alone where the currency (ISO 4217) is not known. */
export function money(amount: number, currency: string): string {
  return inCurrency(amount, currency, 4);
}

/** Return an amount to pay or saved, to the cent. */
export function amount(value: number, currency: string): string {
  return inCurrency(value, currency, 2);
}

function inCurrency(value: number, currency: string, most: number): string {
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: most };
  if (!isCurrency(currency)) return numbers(digits).format(value);
  return numbers({ style: "currency", currency, ...digits }).format(value);
}

/** Whether these are letters that can stand for a currency (ISO 4217). */
export function isCurrency(letters: string): boolean {
  return /^[A-Z]{3}$/.test(letters);
}

export function temperature(celsius: number): string {
  return `${oneDigit(celsius)}${SPACE}\u00b0C`;
}

/** Return a span in signs, rounded down: "42 s", "12 min", "3 h 20 min"; "2 days" from 48 h on. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s}${SPACE}s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes}${SPACE}min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) {
    const rest = minutes % 60;
    return rest === 0 ? `${hours}${SPACE}h` : `${hours}${SPACE}h ${rest}${SPACE}min`;
  }
  const days = numbers({ style: "unit", unit: "day", unitDisplay: "long" });
  return days.format(Math.floor(hours / 24)).replace(" ", SPACE);
}

/** Return how many days ago something was, in words. */
export function daysAgo(seconds: number): string {
  return relative({ numeric: "always" }).format(-Math.floor(seconds / DAY_S), "day");
}

/** Return a countdown: minutes and seconds within the last hour, else as `span`. */
export function countdown(seconds: number): string {
  const s = Math.max(0, Math.ceil(seconds));
  if (s >= 3600) return span(s);
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}

/** Options that show a time in the home's zone; "" means the browser's own. */
function inZone(zone: string): Intl.DateTimeFormatOptions {
  return zone === "" ? {} : { timeZone: zone };
}

/** Return a time of day by the 24 h clock. */
export function clockTime(at: number, zone: string): string {
  const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  return dates({ ...options, ...inZone(zone) }).format(at * 1000);
}

/** Return the day an instant lies in, ISO 8601. */
export function dayKey(at: number, zone: string): string {
  const options = inZone(zone);
  const iso = () => new Intl.DateTimeFormat("en-CA", options);
  return keep("iso day", options, iso).format(at * 1000);
}

/**
 * Return a time, with its day where that is not today, and its year where that is another one:
 * "15:00", "tomorrow 07:00", "Sat 20 Jun 07:00", "18 Jun 2027 07:00".
 */
export function moment(at: number, now: number, zone: string): string {
  const time = clockTime(at, zone);
  const day = dayKey(at, zone);
  const today = dayKey(now, zone);
  if (day === today) return time;
  for (const by of [1, -1]) {
    if (day === shiftDay(today, by)) return `${nearDay(by)} ${time}`;
  }
  if (day.slice(0, 4) !== today.slice(0, 4)) return `${fullDay(at, zone)} ${time}`;
  const options = { weekday: "short", day: "numeric", month: "short", ...inZone(zone) } as const;
  return `${dates(options).format(at * 1000)} ${time}`;
}

/** Return how a language calls a day that many days from today: "tomorrow". */
function nearDay(by: number): string {
  return relative({ numeric: "auto" }).format(by, "day");
}

/** Return from when until when, naming the day once: "14:13 – 14:53". */
export function interval(start: number, end: number, now: number, zone: string): string {
  const sameDay = dayKey(start, zone) === dayKey(end, zone);
  const until = sameDay ? clockTime(end, zone) : moment(end, now, zone);
  return `${moment(start, now, zone)}${SPACE}${DASH} ${until}`;
}

/** Return a day (ISO 8601) as people name it. */
export function dayName(day: string, today: string): string {
  if (day === today) return capital(nearDay(0));
  if (day === shiftDay(today, -1)) return capital(nearDay(-1));
  const options = { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" } as const;
  return capital(dates(options).format(new Date(`${day}T00:00:00Z`)));
}

/** Return words as they begin a line. */
export function capital(words: string): string {
  return words.charAt(0).toLocaleUpperCase(region.value) + words.slice(1);
}

/** Return a month by an instant in it, as people name it: "March 2026". */
export function monthName(at: number, zone: string): string {
  const options = { month: "long", year: "numeric", ...inZone(zone) } as const;
  return capital(dates(options).format(at * 1000));
}

/** Return a day by an instant in it, with its year: "1 Mar 2026". */
export function fullDay(at: number, zone: string): string {
  const options = { day: "numeric", month: "short", year: "numeric", ...inZone(zone) } as const;
  return dates(options).format(at * 1000);
}

/** Return the day `by` days after `day`, both ISO 8601. */
export function shiftDay(day: string, by: number): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + by);
  return date.toISOString().slice(0, 10);
}

/** Return an instant as the reader's language writes these parts of it. */
export function formatAt(at: number, zone: string, options: Intl.DateTimeFormatOptions): string {
  return dates({ ...options, ...inZone(zone) }).format(at * 1000);
}

/** Return a day (ISO 8601) as the reader's language writes these parts of it. */
export function formatDate(day: string, options: Intl.DateTimeFormatOptions): string {
  return dates({ ...options, timeZone: "UTC" }).format(new Date(`${day}T00:00:00Z`));
}

/** Return how far the clock is ahead of UTC, as it is told beside a time that is shown twice. */
export function zoneOffset(at: number, zone: string): string {
  const parts = dates({ timeZoneName: "shortOffset", ...inZone(zone) }).formatToParts(at * 1000);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? "";
}

/** Return an energy in kWh with as many digits as can be read at a glance; a dash if unknown. */
export function kilowattHours(kwh: number | null): string {
  if (kwh === null) return DASH;
  const most = Math.abs(kwh) < 9.995 ? 2 : Math.abs(kwh) < 999.95 ? 1 : 0;
  return numbers({ minimumFractionDigits: most, maximumFractionDigits: most }).format(kwh);
}

/** Return a power with its sign where energy is given: "−1.4 kW"; a dash if it is not known. */
export function signedPower(watts: number | null): string {
  return watts !== null && Math.round(watts) < 0 ? `\u2212${power(watts)}` : power(watts);
}
