/** Prices by the time of the day, as they are filled in. */

import type { TariffModel } from "../api/schema";

export type Band = NonNullable<TariffModel["bands"]>[number];
export type BandDays = NonNullable<Band["days"]>;

const DAY_MINUTES = 1440;

export function minuteOf(clock: string): number {
  const [hours, minutes] = clock.split(":").map(Number);
  return (hours ?? 0) * 60 + (minutes ?? 0);
}

/** What a time field shows: it knows no 24:00. */
export function fieldOf(clock: string): string {
  return clock === "24:00" ? "00:00" : clock;
}

/** The end of a band as the hub wants it: midnight is the end of the day. */
export function endOf(field: string): string {
  return field === "00:00" ? "24:00" : field;
}

/** One piece of a day, for a picture of it; `price` null where no band is. */
export interface Piece {
  from: number;
  to: number;
  price: number;
}

function covers(band: Band, minute: number, weekend: boolean): boolean {
  const days = band.days ?? "all";
  if (days !== "all" && (days === "weekends") !== weekend) return false;
  const begins = minuteOf(band.begins);
  const ends = minuteOf(band.ends);
  return begins < ends ? minute >= begins && minute < ends : minute >= begins || minute < ends;
}

/** A day's prices: the first band that covers a time holds, else the price at all other times. */
export function piecesOf(bands: Band[], rest: number, weekend: boolean): Piece[] {
  const edges = new Set([0, DAY_MINUTES]);
  for (const band of bands) {
    edges.add(minuteOf(band.begins));
    edges.add(minuteOf(band.ends));
  }
  const sorted = [...edges].filter((edge) => edge <= DAY_MINUTES).sort((a, b) => a - b);
  const pieces: Piece[] = [];
  for (const [index, from] of sorted.slice(0, -1).entries()) {
    const to = sorted[index + 1] ?? DAY_MINUTES;
    const price = bands.find((band) => covers(band, from, weekend))?.price ?? rest;
    const last = pieces.at(-1);
    if (last !== undefined && last.price === price) last.to = to;
    else pieces.push({ from, to, price });
  }
  return pieces;
}
