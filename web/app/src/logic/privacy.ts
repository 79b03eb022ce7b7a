/** Privacy and security in words. */

import type {
  CertificateAnswer,
  ConnectionAnswer,
  GrantOrder,
  OutflowAnswer,
  PastAlarmAnswer,
} from "../api/types";
import { decimal, fullDay, span } from "./format";
import type { Say } from "./say";

/** What can be granted; as in `hems.visibility.grants`. */
export const DATA: readonly GrantOrder["data"][number][] = [
  "live",
  "power",
  "voltage",
  "energy",
  "events",
];
export const PURPOSES: readonly GrantOrder["purpose"][] = [
  "grid-operation",
  "topology-identification",
  "line-loss-analysis",
  "settlement",
];
/** No grant lasts longer. */
export const LONGEST_DAYS = 731;

const LFDI_DIGITS = 40;
/** A clock that misses by less is right. */
const CLOCK_OFF_S = 10;

/** Return an LFDI as it is kept; null for what is none. */
export function readLfdi(text: string): string | null {
  const digits = text.replace(/[\s:-]/g, "").toUpperCase();
  return digits.length === LFDI_DIGITS && /^[0-9A-F]*$/.test(digits) ? digits : null;
}

/** Return a fingerprint of pairs ("4B:F8:...") in groups of four, so that no line ends within a pair. */
export function inQuads(pairs: string): string {
  return pairs.replace(/((?:[^:]+:){3}[^:]+):/g, "$1 ");
}

/** Return an LFDI or fingerprint in groups that can be read out and compared. */
export function inGroups(digits: string): string {
  return digits.replaceAll(":", "").replace(/(.{4})(?=.)/g, "$1 ");
}

/** All that goes to one recipient the same way. */
export interface Recipient {
  /** One of them: what they have in common can be read off any. */
  any: OutflowAnswer;
  flows: OutflowAnswer[];
}

/** Return what leaves the hub by whom it is told, in the order in which each is named first. */
export function byRecipient(flows: readonly OutflowAnswer[]): Recipient[] {
  const found = new Map<string, Recipient>();
  for (const flow of flows) {
    const key = [flow.to, flow.host, flow.reach, flow.guard].join("\n");
    const known = found.get(key);
    if (known === undefined) found.set(key, { any: flow, flows: [flow] });
    else known.flows.push(flow);
  }
  return [...found.values()];
}

/** Return to whom something goes. */
export function toWords(t: Say, flow: OutflowAnswer): string {
  if (flow.to !== "" && flow.host !== "") {
    return t("privacy.flow.toAt", { to: flow.to, host: flow.host });
  }
  if (flow.flow === "announced") return t("privacy.flow.everybody");
  return flow.to || flow.host || t("privacy.flow.unknown");
}

/** Return how often something is told. */
export function occasionWords(t: Say, flow: OutflowAnswer): string {
  if (flow.occasion === "interval" && flow.every_s !== null) {
    return t("privacy.occasion.every", { span: span(flow.every_s) });
  }
  return t(`privacy.occasion.${flow.occasion}`);
}

/** Return what is told, in plain words: what it is, and of which devices. */
export function whatWords(t: Say, flow: OutflowAnswer): string {
  const what = t(`privacy.what.${flow.flow}`);
  if (flow.data.length > 0) {
    return flow.data.map((each) => t(`privacy.data.${each}`)).join(", ");
  }
  return flow.devices.length === 0
    ? what
    : t("privacy.flow.of", { what, devices: flow.devices.join(", ") });
}

/** Return how far a clock is off, where that matters. */
export function clockWords(t: Say, connection: ConnectionAnswer): string {
  const error = connection.clock_error_s;
  if (error === null) return t("privacy.clock.unknown");
  const amount = Math.abs(error);
  if (amount < CLOCK_OFF_S) return t("privacy.clock.right", { seconds: decimal(amount, 1) });
  return t(error > 0 ? "privacy.clock.ahead" : "privacy.clock.behind", { span: span(amount) });
}

/** Return until when a certificate counts. */
export function endWords(t: Say, certificate: CertificateAnswer, now: number, zone: string): string {
  if (certificate.error !== "") return certificate.error;
  if (certificate.standing === "revoked") return t("privacy.certificate.revoked");
  if (certificate.standing === "early" && certificate.starts_at !== null) {
    return t("privacy.certificate.early", { day: fullDay(certificate.starts_at, zone) });
  }
  if (certificate.ends_at === null) return t("privacy.certificate.endless");
  const day = fullDay(certificate.ends_at, zone);
  if (certificate.standing === "over") return t("privacy.certificate.over", { day });
  if (certificate.standing === "soon") {
    return t("privacy.certificate.soon", { day, span: span(certificate.ends_at - now) });
  }
  return t("privacy.certificate.until", { day });
}

/** Return the alarms that last, and those that are over. */
export function lastingAndOver(alarms: readonly PastAlarmAnswer[]): {
  lasting: PastAlarmAnswer[];
  over: PastAlarmAnswer[];
} {
  return {
    lasting: alarms.filter((each) => each.ended_at === null),
    over: alarms.filter((each) => each.ended_at !== null),
  };
}

/** Return how long an alarm lasted; empty for what happened once. */
export function lastedWords(t: Say, alarm: PastAlarmAnswer, now: number): string {
  const lasted = (alarm.ended_at ?? now) - alarm.began_at;
  if (alarm.source === "" || lasted < 1) return "";
  return t(alarm.ended_at === null ? "privacy.alarm.for" : "privacy.alarm.lasted", {
    span: span(lasted),
  });
}
