import { describe, expect, it } from "vitest";
import tokens from "../src/styles/tokens.css?raw";

/** WCAG 2.2, 1.4.3: text 4.5:1; 1.4.11: areas and lines that mean something 3:1. */
const TEXT = 4.5;
const AREA = 3;

type Scheme = Record<string, string>;

function scheme(css: string): Scheme {
  return Object.fromEntries(
    [...css.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, hex]) => [name, hex]),
  );
}

const [light = "", dark = ""] = tokens.split("@media (prefers-color-scheme: dark)");
const schemes: [string, Scheme][] = [
  ["light", scheme(light)],
  ["dark", scheme(dark)],
];

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const TEXTS: [string, string][] = [
  ...["ink", "ink-soft", "warn-ink", "bad-ink"].flatMap((ink): [string, string][] => [
    [ink, "paper"],
    [ink, "card"],
  ]),
  ["warn-ink", "warn-paper"],
  ["bad-ink", "bad-paper"],
  ["event-ink", "event-paper"],
  ["event-soft", "event-paper"],
  ["event-accent", "event-paper"],
];
const AREAS = ["grid", "battery", "evse", "heat_pump", "water_heater"].map((kind) => `c-${kind}`);

describe.each(schemes)("in the %s scheme", (_, colours) => {
  it.each(TEXTS)("%s can be read on %s", (ink, paper) =>
    expect(contrast(colours[ink] ?? "", colours[paper] ?? "")).toBeGreaterThanOrEqual(TEXT),
  );
  it.each(AREAS)("%s stands out from a card", (area) =>
    expect(contrast(colours[area] ?? "", colours.card ?? "")).toBeGreaterThanOrEqual(AREA),
  );
  it("the focus ring stands out from the page", () =>
    expect(contrast(colours.focus ?? "", colours.paper ?? "")).toBeGreaterThanOrEqual(AREA));
});
