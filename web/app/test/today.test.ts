import { describe, expect, it } from "vitest";
import type { AccountAnswer } from "../src/api/types";
import { figures } from "../src/logic/today";
import { plain, say } from "./say";

const ACCOUNT: AccountAnswer = {
  start: 0,
  end: 86_400,
  currency: "EUR",
  import_wh: 8000,
  export_wh: 1000,
  sun_wh: 5000,
  used_wh: 12_000,
  cost: 2.4,
  revenue: 0.08,
  charges: 0.35,
  total: 2.67,
  saved_no_control: 0.5,
  saved_greedy: null,
  carbon_kg: 2.31,
  self_consumption: 0.8,
  autarky: 0.3,
  measured: 1,
};

function read(rest: Partial<AccountAnswer>): string[] {
  return figures(say, { ...ACCOUNT, ...rest }, "").map((f) => plain(`${f.label} ${f.value}`));
}

describe("today's figures", () => {
  it("are four", () =>
    expect(read({})).toEqual([
      "Cost \u20ac2.67",
      "Saved \u20ac0.50",
      "Own sun used 80 %",
      "CO\u2082 from the grid 2.3 kg",
    ]));
  it("say which way money went", () =>
    expect(read({ total: -1.2, saved_no_control: -0.3 }).slice(0, 2)).toEqual([
      "Earned \u20ac1.20",
      "Cost of control \u20ac0.30",
    ]));
  it("have a reason where they are missing", () => {
    const missing = { saved_no_control: null, self_consumption: null, carbon_kg: null };
    const found = figures(say, { ...ACCOUNT, ...missing }, "");
    expect(found.map((f) => f.missing)).toEqual([false, true, true, true]);
    expect(found.map((f) => f.note).slice(1)).toEqual([
      "The hub has not compared enough of the day yet.",
      "The sun has given nothing yet today.",
      "Nobody tells the hub how clean the energy from the grid is.",
    ]);
  });
  it("have no price without a tariff", () => {
    const [cost, saved] = figures(say, { ...ACCOUNT, currency: "kWh" }, "");
    expect([cost?.value, saved?.value]).toEqual(["\u2013", "\u2013"]);
    expect(cost?.note).toBe("No tariff is set up, so there is no price.");
  });
  it("say what the hub said where it gave none", () => {
    expect(figures(say, null, "You may not see this.").map((f) => f.note)).toEqual(
      Array(4).fill("You may not see this."),
    );
    expect(figures(say, null, "")[0]?.note).toBe("Nothing has been added up yet today.");
  });
});
