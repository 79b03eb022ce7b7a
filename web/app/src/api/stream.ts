/** The live line to the hub: server-sent events that come back by themselves. */

import { presentLanguage } from "../logic/language";
import type { HomeAnswer } from "./types";

const SILENCE_MS = 20_000;
/** How often it is looked whether this browser slept, and what counts as having slept. */
const LOOK_MS = 2_000;
const SLEPT_MS = 8_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;

interface Ahead {
  source: EventSource;
  last: string | null;
}

let ahead: Ahead | null = null;

/** Open the line before there is anything to show its news, for the first listener to take over. */
export function callAhead(): void {
  const opened: Ahead = { source: connect(), last: null };
  opened.source.addEventListener("snapshot", (message: MessageEvent<string>) => {
    opened.last = message.data;
  });
  ahead = opened;
}

function connect(): EventSource {
  return new EventSource(`/api/stream?lang=${presentLanguage()}`);
}

/** Return the line that was opened ahead, once, unless the hub refused it. */
function takeAhead(): Ahead | null {
  const taken = ahead;
  ahead = null;
  return taken?.source.readyState === EventSource.CLOSED ? null : taken;
}

export interface Listener {
  snapshot(home: HomeAnswer): void;
  lost(): void;
}

/**
 * Listen to the hub's snapshots until the returned function is called.
 *
 * EventSource retries a broken connection by itself, but gives up for good on an error status (the
 * hub restarting behind a proxy) and never notices a line that fell silent; both are mended here.
 * After sleep, and when the network is there again, nothing is waited for: the line is opened anew.
 * A page that nobody sees holds no line: it would cost its battery, and a browser opens only six to
 * one hub, which seven forgotten tabs would fill.
 */
export function listen(listener: Listener): () => void {
  let source: EventSource | null = null;
  let timer: number | undefined;
  let retryMs = FIRST_RETRY_MS;

  function open(): void {
    source?.close();
    const taken = takeAhead();
    source = taken?.source ?? connect();
    source.addEventListener("snapshot", (message: MessageEvent<string>) => take(message.data));
    source.addEventListener("error", () => {
      listener.lost();
      again(retryMs);
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    });
    again(SILENCE_MS);
    if (taken !== null && taken.last !== null) take(taken.last);
  }

  function take(snapshot: string): void {
    retryMs = FIRST_RETRY_MS;
    again(SILENCE_MS);
    listener.snapshot(JSON.parse(snapshot) as HomeAnswer);
  }

  function again(afterMs: number): void {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      listener.lost();
      open();
    }, afterMs);
  }

  function close(): void {
    window.clearTimeout(timer);
    source?.close();
  }

  function attend(): void {
    if (!document.hidden) open();
    else if (source === null) takeAhead()?.source.close();
    else close();
  }

  let lookedMs = Date.now();
  const look = window.setInterval(() => {
    const slept = Date.now() - lookedMs > SLEPT_MS;
    lookedMs = Date.now();
    if (slept) attend();
  }, LOOK_MS);
  document.addEventListener("visibilitychange", attend);
  window.addEventListener("online", attend);
  attend();
  return () => {
    window.clearInterval(look);
    document.removeEventListener("visibilitychange", attend);
    window.removeEventListener("online", attend);
    close();
  };
}
