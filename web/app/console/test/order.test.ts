import { describe, expect, it } from "vitest";
import { KINDS, kindOf, valueText } from "../src/logic/kinds";
import { flaws, fresh, numberOf, orderOf, windowOf, type Draft } from "../src/logic/order";
import { plain } from "./words";

const NOW_MS = Date.UTC(2030, 0, 2, 12);

function draft(changes: Partial<Draft> = {}): Draft {
  return { ...fresh(null), ...changes };
}

describe("the form of an event", () => {
  it("is sound as it comes, for each kind", () => {
    for (const kind of KINDS) {
      expect(flaws(draft({ kind: kind.field, value: String(kind.usual) }), NOW_MS)).toEqual({});
    }
  });

  it.each([
    [{ value: "" }, "value"],
    [{ value: "four" }, "value"],
    [{ value: "-1" }, "value"],
    [{ minutes: "0" }, "minutes"],
    [{ minutes: "10081" }, "minutes"],
    [{ lead: "-5" }, "lead"],
    [{ start: "at", at: "" }, "at"],
    [{ start: "at", at: "2029-12-31T12:00" }, "at"],
    [{ randomStart: "3601" }, "randomStart"],
    [{ randomStart: "1.5" }, "randomStart"],
    [{ randomDuration: "" }, "randomDuration"],
  ] as [Partial<Draft>, keyof Draft][])("names what is wrong with %j", (changes, field) => {
    expect(Object.keys(flaws(draft(changes), NOW_MS))).toEqual([field]);
  });

  it("becomes an order in watts and seconds", () => {
    expect(orderOf(draft({ value: "4,5", group: "tx-17", minutes: "30" }))).toEqual({
      limit_import_w: 4500,
      minutes: 30,
      randomize_start_s: 60,
      randomize_duration_s: 0,
      group: "tx-17",
      start: "+300s",
    });
    expect(orderOf(draft({ start: "now", kind: "connect" }))).toMatchObject({ connect: false });
    expect(orderOf(draft({ start: "now" }))).not.toHaveProperty("start");
    expect(orderOf(draft({ lead: "0" }))).not.toHaveProperty("start");
    expect(orderOf(draft({ kind: "duty_cycle_percent", value: "50", program: "AB" }))).toMatchObject({
      duty_cycle_percent: 50,
      program: "AB",
    });
    expect(orderOf(draft({ kind: "storage_target_w", value: "\u22122.3" }))).toMatchObject({ storage_target_w: -2300 });
  });

  it("says when the event would be", () => {
    expect(windowOf(draft(), NOW_MS)).toEqual({ from: NOW_MS / 1000 + 300, to: NOW_MS / 1000 + 3900 });
    expect(windowOf(draft({ start: "now", minutes: "15" }), NOW_MS)).toEqual({ from: NOW_MS / 1000, to: NOW_MS / 1000 + 900 });
    expect(windowOf(draft({ start: "at", at: "" }), NOW_MS)).toBeNull();
  });

  it("reads numbers as people write them", () => {
    expect([numberOf("1.5"), numberOf(" 1,5 "), numberOf("\u22123"), numberOf("")]).toEqual([1.5, 1.5, -3, NaN]);
  });
});

describe("what is asked", () => {
  it("is told with its unit", () => {
    expect(plain(valueText("limit_import_w", 4500))).toBe("4.5 kW");
    expect(plain(valueText("shed_w", 12_500_000))).toBe("12.5 MW");
    expect(plain(valueText("reduce_energy_wh", 2000))).toBe("2 kWh");
    expect(plain(valueText("duty_cycle_percent", 50))).toBe("50 %");
    expect(plain(valueText("cooling_offset_k", 1.5))).toBe("1.5 K");
    expect(valueText("connect", 0)).toBe("");
    expect(valueText("volt_var", "AB".repeat(16))).toBe("");
  });

  it("is refused where nobody knows it", () => {
    expect(() => kindOf("nothing")).toThrow("no way of asking nothing");
  });
});
