/** What is happening, in words: pure functions of one snapshot. */

import type {
  DeviceAnswer,
  EventAnswer,
  HomeAnswer,
  PriceAnswer,
  UtilityAnswer,
} from "../api/types";
import { moment, money, NOTHING_W, percent, span, temperature } from "./format";

/** Which way power crosses the meter. */
export type Direction = "taking" | "giving" | "still" | "unknown";

export function direction(netW: number | null): Direction {
  if (netW === null) return "unknown";
  if (Math.abs(netW) < NOTHING_W) return "still";
  return netW > 0 ? "taking" : "giving";
}

/** The words before and after the net figure. */
export function netWords(netW: number | null): { before: string; after: string } {
  switch (direction(netW)) {
    case "taking":
      return { before: "Taking", after: "from the grid" };
    case "giving":
      return { before: "Giving", after: "to the grid" };
    case "still":
      return { before: "In balance:", after: "to or from the grid" };
    case "unknown":
      return { before: "The meter does not answer:", after: "from or to the grid" };
  }
}

type Words = (device: DeviceAnswer) => string;

function running(device: DeviceAnswer): boolean {
  return (device.power_w ?? 0) >= NOTHING_W;
}

function thermal(on: string): Words {
  return (device) => {
    if (running(device)) return on;
    if (device.wants_power === true) return "waiting for its turn";
    return "resting";
  };
}

const STATES: Record<string, Words> = {
  pv: (d) => ((d.power_w ?? 0) <= -NOTHING_W ? "producing" : "not producing"),
  battery: (d) => {
    if (running(d)) return "charging";
    return (d.power_w ?? 0) <= -NOTHING_W ? "giving to the home" : "resting";
  },
  evse: (d) => {
    if (d.connected === false) return "not plugged in";
    if (running(d)) return "charging";
    if (d.wants_power === true) return "plugged in, waiting to charge";
    if (d.wants_power === false) return "plugged in, nothing to charge";
    return d.connected === true ? "plugged in" : "not charging";
  },
  tie: (d) => {
    if (d.connected === null) return "not known";
    return d.connected ? "connected to the grid" : "parted from the grid";
  },
  heat_pump: thermal("running"),
  water_heater: thermal("heating"),
};

/** What a device is doing, in a few words. */
export function stateWords(device: DeviceAnswer): string {
  if (device.power_w === null) return "no reading yet";
  const words = STATES[device.kind];
  if (words !== undefined) return words(device);
  return running(device) ? "running" : "off";
}

/** What a device holds: charge or temperature; empty if it holds nothing, and old if it is old. */
export function storeWords(device: DeviceAnswer, sinceSnapshotS = 0): string {
  if (device.soc !== null) {
    return `${percent(device.soc)} full${agedNote(device, "soc", sinceSnapshotS)}`;
  }
  if (device.temp_c === null) return "";
  return `${temperature(device.temp_c)}${agedNote(device, "temp_c", sinceSnapshotS)}`;
}

/** From this age on a value that is older than its device's reading is said to be. */
const WORTH_SAYING_S = 10;

function agedNote(device: DeviceAnswer, value: string, sinceSnapshotS: number): string {
  const age = device.ages[value];
  if (age === undefined || age + sinceSnapshotS < WORTH_SAYING_S) return "";
  return ` (${span(age + sinceSnapshotS)} ago)`;
}

/** Why a device's figure is not current, or empty if it is. */
export function ageWords(device: DeviceAnswer, sinceSnapshotS: number): string {
  if (device.quality === "good") return agedPowerWords(device, sinceSnapshotS);
  if (device.age_s === null) return "No answer yet";
  const ago = span(device.age_s + sinceSnapshotS);
  return device.quality === "asleep" ? `Asleep, last heard ${ago} ago` : `Last answer ${ago} ago`;
}

function agedPowerWords(device: DeviceAnswer, sinceSnapshotS: number): string {
  const note = agedNote(device, "power_w", sinceSnapshotS);
  return note === "" ? "" : `Power as of ${note.slice(2, -1)}`;
}

const VALUES: Record<string, string> = {
  power_w: "power",
  reactive_var: "reactive power",
  voltage_v: "voltage",
  frequency_hz: "frequency",
  energy_import_wh: "energy taken",
  energy_export_wh: "energy given",
  soc: "charge",
  capacity_wh: "capacity",
  temp_c: "temperature",
  limit_w: "limit",
  grid_voltage_v: "voltage of the street",
  grid_frequency_hz: "frequency of the street",
  angle_deg: "phase to the street",
};

/** Which values a device gave that cannot be; empty if there are none. */
export function suspectWords(device: DeviceAnswer): string {
  if (device.suspect.length === 0) return "";
  const names = device.suspect.map((name) => VALUES[name] ?? name);
  return `Not believed: ${names.join(", ")}`;
}

/** What becomes of a device when the hub falls silent; empty if that is not known. */
export function safeWords(device: DeviceAnswer): string {
  if (device.safe === "") return "";
  const risk = device.risk === "" ? "" : ` Risk: ${device.risk}.`;
  return `Without the hub: ${device.safe}.${risk}`;
}

const UTILITY: Record<string, string> = {
  searching: "Looking for the utility",
  connecting: "Connecting to the utility",
  connected: "Connected to the utility",
  unreachable: "The utility does not answer",
  refused: "The utility refused this home",
  off: "No utility set up",
};

export function utilityWords(utility: UtilityAnswer): string {
  return UTILITY[utility.state] ?? utility.state;
}

/** What energy from the grid costs, until when, and what then. */
export function priceWords(price: PriceAnswer, now: number, zone: string): string {
  const present = `Energy from the grid costs ${money(price.per_kwh, price.currency)} a kWh`;
  if (price.until === null) return `${present}.`;
  const until = moment(price.until, now, zone);
  if (price.next_per_kwh === null) return `${present} until ${until}.`;
  return `${present} until ${until}, then ${money(price.next_per_kwh, price.currency)}.`;
}

const EVENT_ENDS: Record<string, string> = {
  completed: "Done",
  cancelled: "Cancelled",
  superseded: "Replaced by another",
  rejected: "Not possible here",
};

/** How an event that is over went. */
export function outcomeWords(event: EventAnswer): string {
  const how = EVENT_ENDS[event.state] ?? event.state;
  return event.opted_out ? `${how}, you had opted out` : how;
}

/** One sentence for those who hear the page, when the events change; empty if there is none. */
export function announcement(home: HomeAnswer): string {
  return home.events
    .filter((e) => e.state === "running" || e.state === "coming")
    .map((e) => {
      if (e.opted_out) return `You opted out of ${e.program}: ${e.title}.`;
      return `${e.program} ${e.state === "running" ? "asks now" : "will ask"}: ${e.title}.`;
    })
    .join(" ");
}
