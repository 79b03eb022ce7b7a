/** Figures and times in words, as the owner reads them. */

/** By which regional habits each language writes its figures and times. */
const REGIONS: Record<string, string> = { en: "en-GB", de: "de-DE", fr: "fr-FR", es: "es-ES" };
let region = "en-GB";
let NUMBER = numbers();

function numbers(): Intl.NumberFormat {
  return new Intl.NumberFormat(region, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** Write figures and times as a language does from now on. */
export function setFormatLanguage(language: string): void {
  region = REGIONS[language] ?? "en-GB";
  NUMBER = numbers();
}

/** Below this a power counts as nothing: meters and inverters flicker by a few watts. */
export const NOTHING_W = 20;

/** A figure and its unit, apart, so that they can be set apart. */
export interface Figure {
  value: string;
  unit: string;
}

/** Return the size of a power, without its sign: "640 W", "1.4 kW"; a dash if it is not known. */
export function powerFigure(watts: number | null): Figure {
  if (watts === null) return { value: "\u2013", unit: "kW" };
  const size = Math.abs(watts);
  if (Math.round(size / 10) * 10 < 1000) {
    return { value: String(size < 100 ? Math.round(size) : Math.round(size / 10) * 10), unit: "W" };
  }
  return { value: NUMBER.format(size / 1000), unit: "kW" };
}

export function power(watts: number | null): string {
  const { value, unit } = powerFigure(watts);
  return `${value}\u00a0${unit}`;
}

/** Return an energy in kWh, without its sign. */
export function energy(wattHours: number): string {
  return `${NUMBER.format(Math.abs(wattHours) / 1000)}\u00a0kWh`;
}

/** Return a share between 0 and 1 as whole per cent. */
export function percent(share: number): string {
  return `${Math.round(share * 100)}\u00a0%`;
}

/** Return an amount of money; the figure alone where the currency (ISO 4217) is not known. */
export function money(amount: number, currency: string): string {
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 4 };
  if (!/^[A-Z]{3}$/.test(currency)) return new Intl.NumberFormat(region, digits).format(amount);
  const options = { style: "currency", currency, ...digits } as const;
  return new Intl.NumberFormat(region, options).format(amount);
}

export function temperature(celsius: number): string {
  return `${NUMBER.format(celsius)}\u00a0\u00b0C`;
}

/** Return a span as words, rounded down: "42 s", "12 min", "3 h 20 min", "2 days". */
export function span(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s}\u00a0s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes}\u00a0min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) {
    const rest = minutes % 60;
    return rest === 0 ? `${hours}\u00a0h` : `${hours}\u00a0h ${rest}\u00a0min`;
  }
  return `${Math.floor(hours / 24)}\u00a0days`;
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

export function clockTime(at: number, zone: string): string {
  const options = { hour: "2-digit", minute: "2-digit", ...inZone(zone) } as const;
  return new Intl.DateTimeFormat(region, options).format(at * 1000);
}

function dayKey(at: number, zone: string): string {
  return new Intl.DateTimeFormat("en-CA", inZone(zone)).format(at * 1000);
}

/** Return a time, with its day where that is not today: "15:00", "tomorrow 07:00", "Sat 20 Jun 07:00". */
export function moment(at: number, now: number, zone: string): string {
  const time = clockTime(at, zone);
  const day = dayKey(at, zone);
  if (day === dayKey(now, zone)) return time;
  if (day === dayKey(now + 86_400, zone)) return `tomorrow ${time}`;
  if (day === dayKey(now - 86_400, zone)) return `yesterday ${time}`;
  const options = { weekday: "short", day: "numeric", month: "short", ...inZone(zone) } as const;
  return `${new Intl.DateTimeFormat(region, options).format(at * 1000)} ${time}`;
}

/** Return from when until when, naming the day once: "14:13 to 14:53". */
export function interval(start: number | null, end: number | null, now: number, zone: string): string {
  const from = start === null ? "now" : moment(start, now, zone);
  if (end === null) return `from ${from}, until further notice`;
  const sameDay = start !== null && dayKey(start, zone) === dayKey(end, zone);
  return `${from} to ${sameDay ? clockTime(end, zone) : moment(end, now, zone)}`;
}

/** Return a day (ISO 8601) as people name it. */
export function dayName(day: string, today: string): string {
  if (day === today) return "Today";
  if (day === shiftDay(today, -1)) return "Yesterday";
  const options = { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" } as const;
  return new Intl.DateTimeFormat(region, options).format(new Date(`${day}T00:00:00Z`));
}

/** Return the day `by` days after `day`, both ISO 8601. */
export function shiftDay(day: string, by: number): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + by);
  return date.toISOString().slice(0, 10);
}
