import { beforeEach, describe, expect, it, vi } from "vitest";
import { forgetKept, keep, recall } from "../src/state/kept";

/** A browser's storage: entries are own properties, as `Object.keys` sees them there. */
class Entries {
  [name: string]: unknown;
  getItem(name: string): string | null {
    return Object.hasOwn(this, name) ? String(this[name]) : null;
  }
  setItem(name: string, text: string): void {
    this[name] = text;
  }
  removeItem(name: string): void {
    delete this[name];
  }
}

beforeEach(() => vi.stubGlobal("localStorage", new Entries()));

describe("what is kept", () => {
  it("comes back with the time it came", () => {
    keep("plan", { a: [1, null] }, 1234);
    expect(recall("plan")).toEqual({ value: { a: [1, null] }, cameMs: 1234 });
    expect(recall("day")).toBeNull();
  });

  it("is not what is too large, nor what was there before it", () => {
    keep("day", "small");
    keep("day", "x".repeat(700_000));
    expect(recall("day")).toBeNull();
  });

  it.each(["", "{", "null", '"x"', '{"shape":0,"cameMs":1,"value":2}', '{"shape":1,"value":2}'])(
    "is nothing where %j lies there",
    (text) => {
      localStorage.setItem("hems.kept.home", text);
      expect(recall("home")).toBeNull();
    },
  );

  it("does without a storage that is full", () => {
    vi.spyOn(localStorage, "setItem").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    expect(() => keep("plan", 1)).not.toThrow();
  });

  it("is forgotten, and nothing else with it", () => {
    keep("plan", 1);
    localStorage.setItem("hems.language", "de");
    forgetKept();
    expect(recall("plan")).toBeNull();
    expect(localStorage.getItem("hems.language")).toBe("de");
  });
});
