/**
 * The map: places to pixels, and places that are too near each other to one mark. Pure.
 *
 * The projection is that of the web's maps (spherical Mercator); the whole world is 256 px wide at
 * zoom 0 and twice as wide with each further level.
 */

export interface Spot {
  id: string;
  name: string;
  lat: number;
  lon: number;
  /** Level of what stands there; sites are "site". */
  kind: string;
}

/** Where one looks: the middle in parts of the world (0 to 1, north-west is 0, 0), and how near. */
export interface Look {
  x: number;
  y: number;
  zoom: number;
}

export interface Size {
  width: number;
  height: number;
}

/** One mark on the map; of one place, or of several that are too near each other. */
export interface Mark {
  /** Stays the same as long as the same places are in it. */
  key: string;
  left: number;
  top: number;
  spots: readonly Spot[];
}

export const NEAREST = 18;
export const FARTHEST = 2;
const TILE_PX = 256;
/** Two marks nearer than this become one: a finger has to hit either. */
const APART_PX = 48;
const MARGIN_PX = 40;
/** How near to look at a single place. */
const STREET = 16;
const MOST_LAT = 85;
const EQUATOR_M = 40_075_016.7;

/** Return where a place is in the world, in parts of it. */
export function inWorld({ lat, lon }: { lat: number; lon: number }): { x: number; y: number } {
  const phi = (Math.min(MOST_LAT, Math.max(-MOST_LAT, lat)) * Math.PI) / 180;
  return {
    x: (lon + 180) / 360,
    y: (1 - Math.log(Math.tan(phi) + 1 / Math.cos(phi)) / Math.PI) / 2,
  };
}

/** Return how many pixels the world is wide. */
export function worldPx(zoom: number): number {
  return TILE_PX * 2 ** zoom;
}

/** Return where a place is on the paper, in pixels. */
export function onPaper(spot: { lat: number; lon: number }, look: Look, size: Size): { left: number; top: number } {
  const { x, y } = inWorld(spot);
  const px = worldPx(look.zoom);
  return { left: (x - look.x) * px + size.width / 2, top: (y - look.y) * px + size.height / 2 };
}

/** Return the look at which all places fit on the paper; the whole world where there are none. */
export function fit(spots: readonly Spot[], size: Size): Look {
  if (spots.length === 0) return { x: 0.5, y: 0.5, zoom: FARTHEST };
  const places = spots.map(inWorld);
  const [west, east] = ends(places.map(({ x }) => x));
  const [north, south] = ends(places.map(({ y }) => y));
  const room = (px: number) => Math.max(1, px - 2 * MARGIN_PX);
  const zoom = Math.min(
    Math.log2(room(size.width) / TILE_PX / Math.max(east - west, 1e-12)),
    Math.log2(room(size.height) / TILE_PX / Math.max(south - north, 1e-12)),
    STREET,
  );
  return { x: (west + east) / 2, y: (north + south) / 2, zoom: bounded(zoom) };
}

function ends(values: readonly number[]): [number, number] {
  // Not by Math.min(...values): a call takes no hundred thousand arguments.
  return values.reduce<[number, number]>(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Infinity, -Infinity],
  );
}

function bounded(zoom: number): number {
  return Math.min(NEAREST, Math.max(FARTHEST, zoom));
}

/** Return the look after moving the paper by so many pixels. */
export function moved(look: Look, right: number, down: number): Look {
  const px = worldPx(look.zoom);
  return { ...look, x: within(look.x + right / px), y: within(look.y + down / px) };
}

function within(part: number): number {
  return Math.min(1, Math.max(0, part));
}

/** Return the look after going nearer (or farther) by so many levels; a point on the paper stays. */
export function nearer(look: Look, by: number, size: Size, at = { left: size.width / 2, top: size.height / 2 }): Look {
  const zoom = bounded(look.zoom + by);
  const right = at.left - size.width / 2;
  const down = at.top - size.height / 2;
  const gain = 1 / worldPx(look.zoom) - 1 / worldPx(zoom);
  return { zoom, x: within(look.x + right * gain), y: within(look.y + down * gain) };
}

/** Whether all places are so near each other that no look tells them apart. */
export function together(spots: readonly Spot[]): boolean {
  const [west, east] = ends(spots.map(({ lon }) => lon));
  const [south, north] = ends(spots.map(({ lat }) => lat));
  return Math.max(east - west, north - south) < 1e-5;
}

/**
 * Return the marks on the paper, from the top left to the bottom right.
 *
 * Places fall into squares by the whole zoom level, so that marks neither dance nor change while
 * the paper is moved; marks that are still too near each other at a square's edge are joined.
 */
export function marks(spots: readonly Spot[], look: Look, size: Size): Mark[] {
  const cell = (APART_PX * 2 ** (look.zoom - Math.floor(look.zoom))) / worldPx(look.zoom);
  const squares = new Map<string, Spot[]>();
  for (const spot of spots) {
    const { left, top } = onPaper(spot, look, size);
    if (left < -MARGIN_PX || left > size.width + MARGIN_PX) continue;
    if (top < -MARGIN_PX || top > size.height + MARGIN_PX) continue;
    const { x, y } = inWorld(spot);
    const square = `${Math.floor(x / cell)} ${Math.floor(y / cell)}`;
    const there = squares.get(square);
    if (there === undefined) squares.set(square, [spot]);
    else there.push(spot);
  }
  const found: Mark[] = [];
  for (const inside of squares.values()) {
    const mark = markOf(inside, look, size);
    const near = found.findIndex((each) => Math.hypot(each.left - mark.left, each.top - mark.top) < APART_PX * 0.75);
    const other = found[near];
    if (other === undefined) found.push(mark);
    else found[near] = markOf([...other.spots, ...inside], look, size);
  }
  return found.sort((a, b) => a.top - b.top || a.left - b.left);
}

function markOf(spots: readonly Spot[], look: Look, size: Size): Mark {
  const at = spots.map((spot) => onPaper(spot, look, size));
  return {
    key: spots.length === 1 ? (spots[0]?.id ?? "") : `${spots.length} ${spots[0]?.id}`,
    left: at.reduce((sum, { left }) => sum + left, 0) / at.length,
    top: at.reduce((sum, { top }) => sum + top, 0) / at.length,
    spots,
  };
}

/** Return a length that is easy to say and at most so many pixels long, for the map's rule. */
export function rule(look: Look, mostPx: number): { metres: number; px: number } {
  const lat = Math.atan(Math.sinh(Math.PI * (1 - 2 * look.y)));
  const metresPerPx = (EQUATOR_M * Math.cos(lat)) / worldPx(look.zoom);
  const most = metresPerPx * mostPx;
  const ten = 10 ** Math.floor(Math.log10(most));
  const metres = [5, 2, 1].map((each) => each * ten).find((each) => each <= most) ?? ten;
  return { metres, px: metres / metresPerPx };
}
