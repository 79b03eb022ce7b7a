import { describe, expect, it } from "vitest";
import { fit, inWorld, marks, moved, nearer, onPaper, rule, together, worldPx, type Look, type Spot } from "../src/logic/map";

const SIZE = { width: 600, height: 400 };

function spot(id: string, lat: number, lon: number): Spot {
  return { id, name: id, lat, lon, kind: "transformer" };
}

/** Draws that are the same in each run. */
function* draws(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

function town(count: number, seed: number): Spot[] {
  const draw = draws(seed);
  const next = () => draw.next().value as number;
  return Array.from({ length: count }, (_, i) => spot(`s-${i}`, 48 + next() / 10, 11 + next() / 10));
}

describe("places", () => {
  it("lie where the web's maps have them", () => {
    expect(inWorld({ lat: 0, lon: 0 })).toEqual({ x: 0.5, y: 0.5 });
    expect(inWorld({ lat: 0, lon: -180 }).x).toBe(0);
    expect(inWorld({ lat: 85.0511, lon: 0 }).y).toBeGreaterThanOrEqual(0);
    const { x, y } = inWorld({ lat: 48.1374, lon: 11.5755 });
    // Tile 17/0/... of Munich's middle at zoom 12: 2179, 1421.
    expect([Math.floor(x * 4096), Math.floor(y * 4096)]).toEqual([2179, 1421]);
  });

  it("all fit on the paper", () => {
    const spots = town(50, 3);
    const look = fit(spots, SIZE);
    for (const each of spots) {
      const { left, top } = onPaper(each, look, SIZE);
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThan(SIZE.width);
      expect(top).toBeGreaterThan(0);
      expect(top).toBeLessThan(SIZE.height);
    }
  });

  it("need a look even where there are none, or one", () => {
    expect(fit([], SIZE).zoom).toBeGreaterThan(0);
    expect(fit([spot("a", 48, 11)], SIZE).zoom).toBe(16);
  });

  it("at one point are known to be so", () => {
    expect(together([spot("a", 48, 11), spot("b", 48, 11)])).toBe(true);
    expect(together([spot("a", 48, 11), spot("b", 48.001, 11)])).toBe(false);
  });
});

describe("marks", () => {
  it.each([1, 2, 3, 4, 5, 6])("hold each place once and stand apart (town %i)", (seed) => {
    const spots = town(400, seed);
    for (const more of [0, 0.4, 1, 2.7]) {
      const all = fit(spots, SIZE);
      const look = { ...all, zoom: all.zoom + more };
      const found = marks(spots, look, SIZE);
      const ids = found.flatMap((mark) => mark.spots.map(({ id }) => id));
      expect(new Set(ids).size).toBe(ids.length);
      if (more === 0) expect(ids.length).toBe(400);
      expect(new Set(found.map(({ key }) => key)).size).toBe(found.length);
    }
  });

  it("are as many as there are places when one looks near enough", () => {
    const spots = [spot("a", 48, 11), spot("b", 48.01, 11.01)];
    expect(marks(spots, fit(spots, SIZE), SIZE)).toHaveLength(2);
  });

  it("stay the same while the paper is moved a little", () => {
    const spots = town(60, 9);
    const look = fit(spots, SIZE);
    const before = marks(spots, look, SIZE).map(({ key }) => key).sort();
    const after = marks(spots, moved(look, 7, 5), SIZE).map(({ key }) => key).sort();
    expect(after).toEqual(before);
  });

  it("of ten thousand places are few", () => {
    const spots = town(10_000, 11);
    expect(marks(spots, fit(spots, SIZE), SIZE).length).toBeLessThan(200);
  });
});

describe("a look", () => {
  const look: Look = { x: 0.53, y: 0.34, zoom: 10 };

  it("goes nearer with one point held", () => {
    const at = { left: 450, top: 120 };
    const point = {
      x: look.x + (at.left - SIZE.width / 2) / worldPx(look.zoom),
      y: look.y + (at.top - SIZE.height / 2) / worldPx(look.zoom),
    };
    const near = nearer(look, 1.5, SIZE, at);
    expect((point.x - near.x) * worldPx(near.zoom) + SIZE.width / 2).toBeCloseTo(at.left, 6);
    expect((point.y - near.y) * worldPx(near.zoom) + SIZE.height / 2).toBeCloseTo(at.top, 6);
  });

  it("stays within the world", () => {
    expect(moved(look, -1e9, -1e9)).toMatchObject({ x: 0, y: 0 });
    expect(nearer(look, 99, SIZE).zoom).toBe(18);
    expect(nearer(look, -99, SIZE).zoom).toBe(2);
  });

  it("has a rule of a round length that fits", () => {
    for (const zoom of [2, 5.3, 9, 12.7, 16, 18]) {
      const { metres, px } = rule({ ...look, zoom }, 120);
      expect(px).toBeLessThanOrEqual(120);
      expect(px).toBeGreaterThan(40);
      expect(["1", "2", "5"]).toContain(String(metres)[0]);
    }
  });
});
