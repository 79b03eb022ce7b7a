import { describe, expect, it } from "vitest";
import type { ProgrammeAnswer, RecordAnswer } from "../src/api/types";
import { setFormatLanguage } from "../src/logic/format";
import {
  amountWords,
  askedWords,
  byMonth,
  deliveredWords,
  deviationWords,
  groups,
  joinedWords,
  payWords,
  roomWords,
} from "../src/logic/programmes";

setFormatLanguage("en");

/** Shows which text is meant, and with what. */
const t = (key: string, named: Record<string, unknown> = {}): string =>
  [key, ...Object.entries(named).map(([name, value]) => `${name}=${String(value)}`)].join(" ");

const NOW = Date.UTC(2026, 2, 29, 12) / 1000;
const ZONE = "Europe/Berlin";

function programme(id: string, rest: Partial<ProgrammeAnswer> = {}): ProgrammeAnswer {
  return {
    id,
    about: {
      use_cases: ["BUC-1"],
      title: id,
      triggered_by: "",
      asks: "",
      ends: "",
      carried_by: ["DERControl opModImpLimW"],
      clause: "",
      latency: "minutes",
      leaving: "",
    },
    standing: {
      active: false,
      down_w: 0,
      up_w: 0,
      energy_wh: null,
      for_s: null,
      promise: "",
      words: "",
    },
    manner: "agreed",
    joined: true,
    bound: "",
    decided_by: "",
    decided_at: null,
    until: null,
    version: "x",
    consequence: [],
    changed: false,
    pays: null,
    decisions: [],
    missing: "",
    ...rest,
  };
}

function record(rest: Partial<RecordAnswer> = {}): RecordAnswer {
  return {
    programme: "peak",
    event: "0A",
    kind: "import-limit",
    asked_by: "Peak Saver",
    lfdi: "",
    starts_at: NOW - 3600,
    ends_at: NOW,
    asked: 1500,
    unit: "W",
    baseline_w: null,
    baseline_by: "",
    promised_wh: null,
    delivered_wh: null,
    settled_s: null,
    inside_share: null,
    deviation: null,
    rebound_w: null,
    comfort_minutes: 0,
    measured_share: 1,
    score: null,
    opted_out: false,
    note: "",
    ...rest,
  };
}

describe("groups", () => {
  it("puts what asks something, or has another text, before the rest", () => {
    const active = programme("c", { standing: { ...programme("c").standing, active: true } });
    const found = groups([
      programme("a"),
      programme("b", { changed: true }),
      active,
      programme("d", { joined: false }),
      programme("e", { manner: "always" }),
    ]);
    expect(found.joined.map((p) => p.id)).toEqual(["b", "c", "a"]);
    expect(found.offered.map((p) => p.id)).toEqual(["d"]);
    expect(found.always.map((p) => p.id)).toEqual(["e"]);
  });
});

describe("joinedWords", () => {
  it("says who decided, and until when, only where somebody has", () => {
    expect(joinedWords(t, programme("a"), NOW, ZONE)).toBe("programmes.in");
    const left = programme("a", { joined: false, decided_by: "Ada", decided_at: NOW - 60 });
    expect(joinedWords(t, left, NOW, ZONE)).toBe(
      "programmes.decided stands=programmes.out by=Ada at=13:59",
    );
    const until = { ...left, until: NOW + 3600, decided_by: "this machine" };
    expect(joinedWords(t, until, NOW, ZONE)).toBe(
      "programmes.decidedUntil stands=programmes.out by=programmes.onTheHub at=13:59 until=15:00",
    );
  });
});

describe("payWords", () => {
  it("names a price only where one is known", () => {
    expect(payWords(t, programme("a"))).toBe("programmes.contract");
    const paid = programme("a", { pays: { per_kwh: 0.25, currency: "EUR" } });
    expect(payWords(t, paid)).toBe("programmes.pays price=€0.25");
    const own = programme("a", { about: { ...programme("a").about, carried_by: [] } });
    expect(payWords(t, own)).toBe("programmes.ownGain");
  });
});

describe("roomWords", () => {
  it("names what can be moved", () => {
    expect(roomWords(t, programme("a"))).toBe("");
    const standing = { ...programme("a").standing, down_w: 1500, energy_wh: 3000 };
    expect(roomWords(t, programme("a", { standing }))).toBe(
      "programmes.down power=1.5\u00a0kW, programmes.holds energy=3.0\u00a0kWh",
    );
  });
});

describe("byMonth", () => {
  const PRICES = new Map([["peak", { per_kwh: 0.5, currency: "EUR" }]]);
  const AT = (month: number, day: number, hour: number): number =>
    Date.UTC(2026, month - 1, day, hour) / 1000;

  it("sums what is known, by the month in which each ended in the home's zone", () => {
    const found = byMonth(
      [
        // The last hour of February in Berlin, ending with it, and one in its first of March.
        record({ event: "1", ends_at: AT(2, 28, 23), delivered_wh: 1000, promised_wh: 2000 }),
        record({ event: "2", ends_at: AT(3, 1, 0), delivered_wh: 500, comfort_minutes: 3 }),
        record({ event: "3", ends_at: AT(3, 2, 0), opted_out: true }),
        record({ event: "4", ends_at: AT(3, 3, 0), delivered_wh: -200 }),
        record({ event: "5", ends_at: AT(3, 4, 0), delivered_wh: 300, programme: "other" }),
      ],
      PRICES,
      ZONE,
    );
    expect(found.map((m) => m.month.key)).toEqual(["2026-03", "2026-02"]);
    const [march, february] = found as [(typeof found)[0], (typeof found)[0]];
    expect(march.records.map((r) => r.event)).toEqual(["5", "4", "3", "2"]);
    expect(march.deliveredWh).toBe(600);
    expect(march.promisedWh).toBeNull();
    expect(march.comfortMinutes).toBe(3);
    expect(march.optedOut).toBe(1);
    expect(Object.fromEntries(march.earned)).toEqual({ EUR: 0.25 });
    expect(february.promisedWh).toBe(2000);
  });

  it("knows of nothing delivered where nothing was measured", () => {
    expect(byMonth([record()], PRICES, ZONE)[0]?.deliveredWh).toBeNull();
    expect(byMonth([], PRICES, ZONE)).toEqual([]);
  });
});

describe("amounts", () => {
  it.each([
    [1500, "W", "1.5\u00a0kW"],
    [500, "Wh", "500\u00a0Wh"],
    [50, "%", "50\u00a0%"],
    [120.4, "var", "120\u00a0var"],
    [0.97, "power factor", "0.97"],
    [0.05, "curve", "programmes.ofRating share=5\u00a0%"],
    [600, "W/min", "programmes.perMinute power=600\u00a0W"],
  ])("writes %s %s", (amount, unit, words) => {
    expect(amountWords(t, amount, unit)).toBe(words);
  });

  it("names a curve as one, and its miss as a share", () => {
    const curve = record({ unit: "curve", asked: 0, deviation: 0.1 });
    expect(askedWords(t, curve)).toBe("programmes.aCurve");
    expect(deviationWords(t, curve)).toContain("10");
    expect(deviationWords(t, record())).toBe("–");
    expect(deviationWords(t, record({ unit: "power factor", deviation: 80 }))).toBe("80\u00a0var");
  });

  it("keeps the sign of what was delivered", () => {
    expect(deliveredWords(null)).toBe("–");
    expect(deliveredWords(-1200)).toBe("\u22121.2\u00a0kWh");
    expect(deliveredWords(-10)).toBe("\u221210\u00a0Wh");
    expect(deliveredWords(-0.2)).toBe("0\u00a0Wh");
    expect(deliveredWords(999.6)).toBe("1.0\u00a0kWh");
  });
});
