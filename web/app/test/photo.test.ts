import { describe, expect, it } from "vitest";
import { within } from "../src/logic/photo";

describe("the size at which a photo is looked at", () => {
  it("keeps its shape and is never larger than it needs to be", () => {
    expect(within(4000, 3000)).toEqual([1600, 1200]);
    expect(within(3000, 4000)).toEqual([1200, 1600]);
    expect(within(640, 480)).toEqual([640, 480]);
    expect(within(10_000, 1)).toEqual([1600, 1]);
    expect(within(1, 1)).toEqual([1, 1]);
  });
});
