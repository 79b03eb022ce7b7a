import { describe, expect, it } from "vitest";
import { live, over, progress, remaining, when } from "../src/logic/events";
import { event } from "./home";
import { plain, say } from "./say";

describe("events", () => {
  const events = [
    event("done", { state: "completed", ends_at: 500 }),
    event("later", { state: "coming", starts_at: 9000 }),
    event("soon", { state: "coming", starts_at: 5000 }),
    event("now"),
    event("older", { state: "cancelled", ends_at: 100 }),
  ];
  it("are ordered: running, coming, then what is over", () => {
    expect(live(events).map((e) => e.id)).toEqual(["now", "soon", "later"]);
    expect(over(events, 1).map((e) => e.id)).toEqual(["done"]);
  });
  it("count down to their begin, then to their end", () => {
    expect(remaining(event("a", { state: "coming", starts_at: 1600 }), 1500)).toEqual({
      to: "begins",
      time: "1:40",
    });
    expect(remaining(event("a"), 1500)?.to).toBe("ends");
    expect(remaining(event("a", { ends_at: null }), 1500)).toBeNull();
  });
  it("have passed in part", () => {
    expect(progress(event("a"), 1250)).toBe(0.25);
    expect(progress(event("a"), 9999)).toBe(1);
    expect(progress(event("a", { state: "coming" }), 1250)).toBeNull();
  });
  it.each([
    [1000, 2000, "00:16 \u2013 00:33"],
    [null, 2000, "until 00:33"],
    [1000, null, "from 00:16, until further notice"],
    [null, null, "from now, until further notice"],
  ])("last from %s until %s", (starts_at, ends_at, text) =>
    expect(plain(when(say, event("a", { starts_at, ends_at }), 1500, "UTC"))).toBe(text),
  );
});
