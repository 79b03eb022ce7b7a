import { describe, expect, it } from "vitest";
import { clockOf, minuteOf } from "../src/logic/clocks";

describe("minutes of the day", () => {
  it("are shown and read back", () => {
    for (let minute = 0; minute < 1440; minute += 7) expect(minuteOf(clockOf(minute))).toBe(minute);
  });
  it.each(["", "7:30", "24:00", "12:60", "noon"])("%j is no time", (text) => {
    expect(minuteOf(text)).toBeNull();
  });
});
