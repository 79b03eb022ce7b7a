/** Minutes of the day as a field for times shows them. */

/** Return minutes since midnight as "22:30". */
export function clockOf(minute: number): string {
  return [Math.floor(minute / 60), minute % 60].map((n) => String(n).padStart(2, "0")).join(":");
}

/** Return "22:30" as minutes since midnight; null for what is no time. */
export function minuteOf(clock: string): number | null {
  const found = /^(\d{2}):(\d{2})/.exec(clock);
  if (found === null) return null;
  const minute = Number(found[1]) * 60 + Number(found[2]);
  return minute < 1440 && Number(found[2]) < 60 ? minute : null;
}
