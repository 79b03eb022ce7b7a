/**
 * What this browser keeps of the hub's last answers, to be shown, aged, when the hub is out of reach.
 *
 * It is bounded: one entry a name, none above `MOST_CHARS`; and it is forgotten on logging out.
 */

const PREFIX = "hems.kept.";
const MOST_CHARS = 600_000;
/** Entries of an older shape are not read. */
const SHAPE = 1;

/** Something kept, and when it came, by this browser's clock in ms. */
export interface Kept<T> {
  value: T;
  cameMs: number;
}

/** Keep an answer in place of any before; a browser that refuses keeps nothing. */
export function keep<T>(name: string, value: T, cameMs = Date.now()): void {
  const text = JSON.stringify({ shape: SHAPE, cameMs, value });
  try {
    if (text.length > MOST_CHARS) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, text);
  } catch (error) {
    // No room, or a window without storage: there is nothing to show offline, and no more.
    if (!(error instanceof DOMException)) throw error;
  }
}

/** Return what was kept last; null where nothing was, or what lies there cannot be read. */
export function recall<T>(name: string): Kept<T> | null {
  try {
    const text = localStorage.getItem(PREFIX + name);
    const found: unknown = text === null ? null : JSON.parse(text);
    return isKept<T>(found) ? { value: found.value, cameMs: found.cameMs } : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DOMException) return null;
    throw error;
  }
}

function isKept<T>(found: unknown): found is Kept<T> {
  return (
    typeof found === "object" &&
    found !== null &&
    "shape" in found &&
    found.shape === SHAPE &&
    "cameMs" in found &&
    typeof found.cameMs === "number" &&
    "value" in found
  );
}

/** Forget all that was kept: whoever opens the page next may be somebody else. */
export function forgetKept(): void {
  const names = Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
  for (const name of names) localStorage.removeItem(name);
}
