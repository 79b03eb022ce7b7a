/** What is happening, in words: pure functions of one snapshot, in the language of `say`. */

import type {
  DeviceAnswer,
  EventAnswer,
  HomeAnswer,
  PriceAnswer,
  UtilityAnswer,
} from "../api/types";
import { daysAgo, moment, money, NOTHING_W, percent, span, temperature } from "./format";
import type { Say } from "./say";

/** Which way power crosses the meter. */
export type Direction = "taking" | "giving" | "still" | "unknown";

export function direction(netW: number | null): Direction {
  if (netW === null) return "unknown";
  if (Math.abs(netW) < NOTHING_W) return "still";
  return netW > 0 ? "taking" : "giving";
}

const TWO_DAYS_S = 2 * 86_400;

/** How long ago something was: "12 s ago". */
export function agoWords(say: Say, seconds: number): string {
  if (seconds >= TWO_DAYS_S) return daysAgo(seconds);
  return say("home.ago", { span: span(seconds) });
}

/** Names the words for what a device is doing: keys of `home.doing`. */
type Doing = (device: DeviceAnswer) => string;

function running(device: DeviceAnswer): boolean {
  return (device.power_w ?? 0) >= NOTHING_W;
}

function giving(device: DeviceAnswer): boolean {
  return (device.power_w ?? 0) <= -NOTHING_W;
}

function thermal(on: string): Doing {
  return (device) => {
    if (running(device)) return on;
    return device.wants_power === true ? "queued" : "resting";
  };
}

const DOING: Record<string, Doing> = {
  pv: (d) => (giving(d) ? "producing" : "notProducing"),
  battery: (d) => {
    if (running(d)) return "charging";
    return giving(d) ? "giving" : "resting";
  },
  evse: (d) => {
    if (d.connected === false) return "unplugged";
    if (running(d)) return "charging";
    if (d.wants_power === true) return "pluggedWaiting";
    if (d.wants_power === false) return "pluggedFull";
    return d.connected === true ? "plugged" : "notCharging";
  },
  tie: (d) => {
    if (d.connected === null) return "unknown";
    return d.connected ? "onGrid" : "offGrid";
  },
  heat_pump: thermal("running"),
  water_heater: thermal("heating"),
};

/** Whether a device is out of touch: what is known of it is of the past. */
export function isSilent(device: DeviceAnswer): boolean {
  return device.quality === "stale" || device.quality === "lost";
}

/** What a device is doing, in a few words; once it is silent, what it did last. */
export function stateWords(say: Say, device: DeviceAnswer): string {
  if (device.power_w === null) return say("home.doing.noReading");
  const name = DOING[device.kind]?.(device) ?? (running(device) ? "running" : "off");
  const doing = say(`home.doing.${name}`);
  return isSilent(device) ? say("home.doing.last", { doing }) : doing;
}

/** Which way power crosses the meter, as it last said. */
export function meterWords(say: Say, device: DeviceAnswer): string {
  const way = { taking: "in", giving: "out", still: "still", unknown: "unknown" } as const;
  const doing = say(`home.flow.gridWay.${way[direction(device.power_w)]}`);
  return isSilent(device) ? say("home.doing.last", { doing }) : doing;
}

/** What is wrong with a device that is silent, and what the hub does about it; empty otherwise. */
export function silentWords(say: Say, device: DeviceAnswer): string {
  if (!isSilent(device)) return "";
  const never = device.quality === "lost" && device.age_s === null;
  return say(`home.silent.${never ? "never" : device.quality}`);
}

/** What a device holds: charge or temperature; empty if it holds nothing, and old if it is old. */
export function storeWords(say: Say, device: DeviceAnswer, sinceSnapshotS = 0): string {
  const [name, words] =
    device.soc !== null
      ? ["soc", say("home.full", { share: percent(device.soc) })]
      : ["temp_c", device.temp_c === null ? "" : temperature(device.temp_c)];
  const age = worthSaying(device, name, sinceSnapshotS);
  return age === null || words === "" ? words : `${words} (${agoWords(say, age)})`;
}

/** From this age on a value that is older than its device's reading is said to be. */
const WORTH_SAYING_S = 10;

function worthSaying(device: DeviceAnswer, value: string, sinceSnapshotS: number): number | null {
  const age = device.ages[value];
  if (age === undefined || age + sinceSnapshotS < WORTH_SAYING_S) return null;
  return age + sinceSnapshotS;
}

/** Why a device's figure is not current, or empty if it is. */
export function ageWords(say: Say, device: DeviceAnswer, sinceSnapshotS: number): string {
  if (device.quality === "good") {
    const age = worthSaying(device, "power_w", sinceSnapshotS);
    return age === null ? "" : say("home.age.power", { ago: agoWords(say, age) });
  }
  if (device.age_s === null) return say("home.age.never");
  const ago = agoWords(say, device.age_s + sinceSnapshotS);
  return say(device.quality === "asleep" ? "home.age.asleep" : "home.age.last", { ago });
}

/** The values that have a name of their own in `home.value`. */
const VALUES: ReadonlySet<string> = new Set([
  "power_w",
  "reactive_var",
  "voltage_v",
  "frequency_hz",
  "energy_import_wh",
  "energy_export_wh",
  "soc",
  "capacity_wh",
  "temp_c",
  "limit_w",
  "grid_voltage_v",
  "grid_frequency_hz",
  "angle_deg",
]);

/** Which values a device gave that cannot be; empty if there are none. */
export function suspectWords(say: Say, device: DeviceAnswer): string {
  if (device.suspect.length === 0) return "";
  const names = device.suspect.map((name) =>
    VALUES.has(name) ? say(`home.value.${name}`) : name,
  );
  return say("home.suspect", { names: names.join(", ") });
}

/** What becomes of a device when the hub falls silent; empty if that is not known. */
export function safeWords(say: Say, device: DeviceAnswer): string {
  if (device.safe === "") return "";
  const safe = say("home.safe.without", { safe: device.safe });
  return device.risk === "" ? safe : `${safe} ${say("home.safe.risk", { risk: device.risk })}`;
}

const UTILITY: ReadonlySet<string> = new Set([
  "searching",
  "connecting",
  "connected",
  "unreachable",
  "refused",
  "off",
]);

export function utilityWords(say: Say, utility: UtilityAnswer): string {
  return UTILITY.has(utility.state) ? say(`home.utility.${utility.state}`) : utility.state;
}

/** What energy from the grid costs, until when, and what then. */
export function priceWords(say: Say, price: PriceAnswer, now: number, zone: string): string {
  const cost = money(price.per_kwh, price.currency);
  if (price.until === null) return say("home.price.plain", { cost });
  const until = moment(price.until, now, zone);
  if (price.next_per_kwh === null) return say("home.price.until", { cost, until });
  return say("home.price.then", { cost, until, next: money(price.next_per_kwh, price.currency) });
}

const ENDS: ReadonlySet<string> = new Set(["completed", "cancelled", "superseded", "rejected"]);

/** How an event that is over went. */
export function outcomeWords(say: Say, event: EventAnswer): string {
  const how = ENDS.has(event.state) ? say(`home.outcome.${event.state}`) : event.state;
  return event.opted_out ? say("home.outcome.optedOut", { how }) : how;
}

/** Who asks, and whether the home takes part. */
export function askingWords(say: Say, event: EventAnswer): string {
  const { program } = event;
  if (event.opted_out) return say("home.event.optedOut", { program });
  return say(event.state === "running" ? "home.event.asks" : "home.event.willAsk", { program });
}

/** One sentence for those who hear the page, when the events change; empty if there is none. */
export function announcement(say: Say, home: HomeAnswer): string {
  return home.events
    .filter((e) => e.state === "running" || e.state === "coming")
    .map((e) => say("home.event.told", { who: askingWords(say, e), title: e.title }))
    .join(" ");
}
