import { describe, expect, it } from "vitest";
import type { CertificateAnswer, ConnectionAnswer, OutflowAnswer, PastAlarmAnswer } from "../src/api/types";
import { setFormatLanguage } from "../src/logic/format";
import {
  byRecipient,
  clockWords,
  endWords,
  inGroups,
  inQuads,
  lastedWords,
  lastingAndOver,
  occasionWords,
  readLfdi,
  toWords,
  whatWords,
} from "../src/logic/privacy";

setFormatLanguage("en");

/** Shows which text is meant, and with what. */
const t = (key: string, named: Record<string, unknown> = {}): string =>
  [key, ...Object.entries(named).map(([name, value]) => `${name}=${String(value)}`)].join(" ");

const NOW = Date.UTC(2026, 2, 1) / 1000;
const FLOW: OutflowAnswer = {
  flow: "readings",
  to: "grid",
  host: "utility.example",
  reach: "beyond",
  occasion: "interval",
  guard: "both",
  devices: ["Roof", "Car"],
  data: [],
  every_s: 300,
  until: null,
};
const CERTIFICATE: CertificateAnswer = {
  use: "utility",
  of: "grid",
  standing: "good",
  renewal: "followed",
  subject: "",
  issuer: "CA",
  starts_at: NOW - 86_400,
  ends_at: NOW + 400 * 86_400,
  fingerprint: "",
  lfdi: "",
  key: "",
  error: "",
};

describe("readLfdi", () => {
  const DIGITS = "0123456789abcdef0123456789ABCDEF01234567";
  it.each([
    [DIGITS, DIGITS.toUpperCase()],
    [` ${inGroups(DIGITS)} `, DIGITS.toUpperCase()],
    [DIGITS.slice(1), null],
    [`${DIGITS}0`, null],
    [DIGITS.replace("0", "G"), null],
    ["", null],
  ])("%s", (text, expected) => {
    expect(readLfdi(text)).toBe(expected);
  });

  it("is written in groups of four", () => {
    expect(inGroups("AB:CD:EF:01:23")).toBe("ABCD EF01 23");
    expect(inGroups("ABCD")).toBe("ABCD");
  });
});

describe("outflows", () => {
  it("say to whom, what and when", () => {
    expect(toWords(t, FLOW)).toBe("privacy.flow.toAt to=grid host=utility.example");
    expect(toWords(t, { ...FLOW, to: "" })).toBe("utility.example");
    expect(toWords(t, { ...FLOW, host: "" })).toBe("grid");
    expect(toWords(t, { ...FLOW, to: "", host: "" })).toBe("privacy.flow.unknown");
    const announced = { ...FLOW, flow: "announced" as const, to: "", host: "" };
    expect(toWords(t, announced)).toBe("privacy.flow.everybody");
    expect(whatWords(t, FLOW)).toBe(
      "privacy.flow.of what=privacy.what.readings devices=Roof, Car",
    );
    expect(whatWords(t, { ...FLOW, devices: [] })).toBe("privacy.what.readings");
    const granted = { ...FLOW, flow: "grant" as const, devices: [], data: ["live", "energy"] };
    expect(whatWords(t, granted)).toBe("privacy.data.live, privacy.data.energy");
    expect(occasionWords(t, FLOW)).toBe("privacy.occasion.every span=5\u00a0min");
    expect(occasionWords(t, { ...FLOW, every_s: null })).toBe("privacy.occasion.interval");
    expect(occasionWords(t, { ...FLOW, occasion: "asked" })).toBe("privacy.occasion.asked");
  });
});

describe("byRecipient", () => {
  it("puts together what goes to one the same way", () => {
    const reports = { ...FLOW, flow: "reports" as const };
    const other = { ...FLOW, to: "other" };
    const bare = { ...FLOW, guard: "none" as const };
    const found = byRecipient([FLOW, other, reports, bare]);
    expect(found.map((each) => each.flows)).toEqual([[FLOW, reports], [other], [bare]]);
  });
});

describe("clockWords", () => {
  const CONNECTION: ConnectionAnswer = {
    name: "grid",
    server: "",
    state: "connected",
    detail: "",
    lfdi: "",
    last_contact: NOW,
    clock_error_s: null,
    edition: "2018",
  };
  it.each([
    [null, "privacy.clock.unknown"],
    [-0.44, "privacy.clock.right seconds=0.4"],
    [90, "privacy.clock.ahead span=1\u00a0min"],
    [-3600, "privacy.clock.behind span=1\u00a0h"],
  ])("%s", (clock_error_s, expected) => {
    expect(clockWords(t, { ...CONNECTION, clock_error_s })).toBe(expected);
  });
});

describe("endWords", () => {
  it.each<[Partial<CertificateAnswer>, string]>([
    [{}, "privacy.certificate.until day=5 Apr 2027"],
    [{ ends_at: null }, "privacy.certificate.endless"],
    [{ error: "no file" }, "no file"],
    [
      { standing: "soon", ends_at: NOW + 3 * 86_400 },
      "privacy.certificate.soon day=4 Mar 2026 span=3\u00a0days",
    ],
    [{ standing: "over", ends_at: NOW - 1 }, "privacy.certificate.over day=28 Feb 2026"],
    [{ standing: "early", starts_at: NOW + 86_400 }, "privacy.certificate.early day=2 Mar 2026"],
  ])("%o", (rest, expected) => {
    expect(endWords(t, { ...CERTIFICATE, ...rest }, NOW, "UTC")).toBe(expected);
  });
});

describe("alarms", () => {
  const LASTS: PastAlarmAnswer = { source: "pv", text: "a", began_at: NOW - 60, ended_at: null };
  const OVER = { ...LASTS, ended_at: NOW - 30 };
  const ONCE = { ...OVER, source: "" };

  it("are apart by whether they last", () => {
    expect(lastingAndOver([LASTS, OVER, ONCE])).toEqual({ lasting: [LASTS], over: [OVER, ONCE] });
  });

  it("say for how long, but for what happened once", () => {
    expect(lastedWords(t, LASTS, NOW)).toBe("privacy.alarm.for span=1\u00a0min");
    expect(lastedWords(t, OVER, NOW)).toBe("privacy.alarm.lasted span=30\u00a0s");
    expect(lastedWords(t, ONCE, NOW)).toBe("");
  });
});

describe("inQuads", () => {
  it.each([
    ["4B:F8:A9:E9:E5:E6", "4B:F8:A9:E9 E5:E6"],
    ["4B:F8:A9:E9", "4B:F8:A9:E9"],
    ["", ""],
  ])("%s", (pairs, shown) => {
    expect(inQuads(pairs)).toBe(shown);
  });
});
