/** What the plan has each device do, in words. Pure. */

import type { DeviceAnswer, HomeAnswer, PlanAnswer } from "../api/types";
import { interval, moment, money, NOTHING_W, power } from "./format";
import type { Say } from "./say";
import { silentWords } from "./words";

/** How far the page looks ahead. */
export const AHEAD_S = 24 * 3600;

/** What a device is planned to do for a time. */
export type Step = PlanAnswer["devices"][string]["steps"][number];

/** A step of the plan and the device that takes it. */
export interface Coming {
  device: DeviceAnswer;
  step: Step;
  /** Whether it is the present one. */
  present: boolean;
}

/** What a battery does by the plan: keys of `home.step.battery`. */
const USES: Record<string, string> = {
  "even-out": "evenOut",
  keep: "keep",
  charge: "charge",
  give: "give",
  sell: "sell",
  rest: "rest",
};

/** What a kind of device does in a step: keys of `home.step`, drawing power and not. */
const DOES: Record<string, [string, string]> = {
  evse: ["charges", "waits"],
  heat_pump: ["heats", "pauses"],
  water_heater: ["heats", "pauses"],
  thermostat: ["heats", "pauses"],
};

/** Say what a step has its device do: "charges with 4.0 kW". */
export function stepWords(say: Say, kind: string, step: Step): string {
  const figure = power(step.power_w);
  if (kind === "battery") {
    const use = USES[step.use];
    if (use !== undefined) return say(`home.step.battery.${use}`, { power: figure });
    if (step.power_w <= -NOTHING_W) return say("home.step.gives", { power: figure });
  }
  const [on, off] = DOES[kind] ?? ["runs", "off"];
  return say(`home.step.${step.power_w >= NOTHING_W ? on : off}`, { power: figure });
}

/** Return the step that a device is in, and the one after it; null where the plan has none. */
export function stepsAt(
  plan: PlanAnswer | null,
  device: string,
  now: number,
): { present: Step | null; next: Step | null } {
  const steps = plan?.devices[device]?.steps ?? [];
  return {
    present: steps.find((s) => s.starts_at <= now && now < s.ends_at) ?? null,
    next: steps.find((s) => s.starts_at > now) ?? null,
  };
}

/** Say what a device does next, and when; empty where the plan says nothing. */
export function nextWords(
  say: Say,
  plan: PlanAnswer | null,
  device: DeviceAnswer,
  now: number,
  zone: string,
): string {
  const { next } = stepsAt(plan, device.id, now);
  if (next === null) return "";
  const does = stepWords(say, device.kind, next);
  return say("home.step.then", { when: moment(next.starts_at, now, zone), does });
}

/** Whether a step is worth a line: something runs in it, or a battery changes its manner. */
function eventful(kind: string, step: Step): boolean {
  return kind === "battery" || Math.abs(step.power_w) >= NOTHING_W;
}

/** Return the steps of the next hours in order of time, the present ones first. */
export function comingSteps(home: HomeAnswer, plan: PlanAnswer | null, now: number): Coming[] {
  if (plan === null) return [];
  return home.devices
    .flatMap((device) =>
      (plan.devices[device.id]?.steps ?? [])
        .filter((s) => s.ends_at > now && s.starts_at < now + AHEAD_S)
        .filter((s) => eventful(device.kind, s))
        .map((step) => ({ device, step, present: step.starts_at <= now })),
    )
    .sort((a, b) => a.step.starts_at - b.step.starts_at || b.step.power_w - a.step.power_w);
}

/** Say from when until when a step lasts; the present one only until when. */
export function stepTime(say: Say, coming: Coming, now: number, zone: string): string {
  const { step, present } = coming;
  if (present) return say("home.step.now", { until: moment(step.ends_at, now, zone) });
  return interval(step.starts_at, step.ends_at, now, zone);
}

/** One thing that is going to happen. */
export interface Ahead {
  at: number;
  words: string;
}

/** Return what comes next in this home, soonest first: events, prices, what devices begin to do. */
export function ahead(
  say: Say,
  home: HomeAnswer,
  plan: PlanAnswer | null,
  now: number,
  most: number,
): Ahead[] {
  const found = [...eventsAhead(say, home), ...priceAhead(say, home), ...stepsAhead(say, home, plan, now)];
  return found
    .filter((each) => each.at > now && each.at < now + AHEAD_S)
    .sort((a, b) => a.at - b.at)
    .slice(0, most);
}

function eventsAhead(say: Say, home: HomeAnswer): Ahead[] {
  return home.events
    .filter((e) => !e.opted_out)
    .flatMap((e) => {
      const named = { program: e.program, title: e.title };
      if (e.state === "coming" && e.starts_at !== null) {
        return [{ at: e.starts_at, words: say("home.ahead.begins", named) }];
      }
      if (e.state === "running" && e.ends_at !== null) {
        return [{ at: e.ends_at, words: say("home.ahead.ends", named) }];
      }
      return [];
    });
}

function priceAhead(say: Say, home: HomeAnswer): Ahead[] {
  const { price } = home;
  if (price === null || price.until === null || price.next_per_kwh === null) return [];
  if (price.next_per_kwh === price.per_kwh) return [];
  const way = price.next_per_kwh < price.per_kwh ? "cheaper" : "dearer";
  const cost = money(price.next_per_kwh, price.currency);
  return [{ at: price.until, words: say(`home.ahead.${way}`, { cost }) }];
}

function stepsAhead(say: Say, home: HomeAnswer, plan: PlanAnswer | null, now: number): Ahead[] {
  return comingSteps(home, plan, now)
    .filter((each) => !each.present)
    .map(({ device, step }) => ({
      at: step.starts_at,
      words: say("home.ahead.step", {
        name: device.name,
        does: stepWords(say, device.kind, step),
      }),
    }));
}

/** Kinds that do what sun and house make them do: no news as to why. */
const UNDECIDED: ReadonlySet<string> = new Set(["pv", "meter", "submeter"]);

/**
 * Return why a device does what it does: what decided, or the plan where nobody holds the device and
 * it does what was planned.
 */
export function reasonOf(plan: PlanAnswer | null, device: DeviceAnswer, now: number): string {
  const { present } = stepsAt(plan, device.id, now);
  const planned = present !== null && present.reason !== "" && alike(present, device);
  return device.setpoint_w === null && planned ? present.reason : device.reason;
}

/** Whether a device takes, gives or rests, as a step has it. */
function alike(step: Step, device: DeviceAnswer): boolean {
  const way = (watts: number): number => (Math.abs(watts) < NOTHING_W ? 0 : Math.sign(watts));
  return device.power_w !== null && way(step.power_w) === way(device.power_w);
}

/** Say why the home does what it does now, the strongest reason first. */
export function why(
  say: Say,
  home: HomeAnswer,
  plan: PlanAnswer | null,
  now: number,
  zone: string,
  most: number,
): string[] {
  const events = home.events
    .filter((e) => e.state === "running" && !e.opted_out)
    .map((e) => eventReason(say, e.program, e.title, e.ends_at, now, zone));
  const lost = home.devices
    .filter((d) => d.quality === "lost")
    .map((d) => say("home.story.device", { name: d.name, reason: silentWords(say, d) }));
  const devices = home.devices
    .filter((d) => d.quality !== "lost" && !UNDECIDED.has(d.kind))
    .filter((d) => d.setpoint_w !== null || stepsAt(plan, d.id, now).present !== null)
    .sort((a, b) => Math.abs(b.power_w ?? 0) - Math.abs(a.power_w ?? 0))
    .map((d) => ({ name: d.name, reason: reasonOf(plan, d, now) }))
    .filter(({ reason }) => reason !== "")
    .map((named) => say("home.story.device", named));
  return [...events, ...lost, ...devices].slice(0, most);
}

function eventReason(
  say: Say,
  program: string,
  title: string,
  endsAt: number | null,
  now: number,
  zone: string,
): string {
  if (endsAt === null) return say("home.story.openEvent", { program, title });
  return say("home.story.event", { program, title, until: moment(endsAt, now, zone) });
}
