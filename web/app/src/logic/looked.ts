/** What the timeline says at one instant, in words. Pure. */

import type { HomeAnswer, PlanAnswer } from "../api/types";
import { money, power, percent } from "./format";
import { stepsAt, stepWords } from "./plan";
import type { Say } from "./say";
import { laneAt, priceClass, valueAt, type Band, type Lane, type LaneName } from "./timeline";

/** What is shown at an instant. */
export interface Said {
  /** Whether the figures are planned and not measured. */
  planned: boolean;
  values: { name: LaneName; words: string }[];
  /** Events and reasons of the plan, one sentence each. */
  reasons: string[];
}

interface Shown {
  lanes: readonly Lane[];
  bands: readonly Band[];
  home: HomeAnswer;
  plan: PlanAnswer | null;
}

/** Return what is known of an instant. */
export function said(say: Say, at: number, currency: string, shown: Shown): Said {
  const found = shown.lanes.flatMap((lane) => {
    const here = laneAt(lane, at);
    return here === null ? [] : [{ lane, ...here }];
  });
  return {
    planned: found.some((each) => each.planned),
    values: found.map(({ lane, value }) => ({
      name: lane.name,
      words: say("home.line.value", {
        name: say(`home.line.${lane.name}`),
        value: valueWords(say, lane, value, at, currency),
      }),
    })),
    reasons: [...eventWords(say, shown.bands, at), ...stepReasons(say, shown, at)],
  };
}

function valueWords(say: Say, lane: Lane, value: number, at: number, currency: string): string {
  if (lane.name === "price") {
    return `${money(value, currency)} (${say(`home.line.${priceClass(lane, value)}`)})`;
  }
  const figure = power(value * 1000);
  if (lane.name !== "grid" && lane.name !== "battery") return figure;
  const signed = say(value < 0 ? "home.line.given" : "home.line.taken", { power: figure });
  const level = valueAt(lane.level, at);
  return level === null ? signed : `${signed} (${percent(level)})`;
}

function eventWords(say: Say, bands: readonly Band[], at: number): string[] {
  return bands
    .filter((band) => band.from <= at && at < band.to)
    .map(({ event: { program, title, opted_out: out } }) => {
      const told = out ? say("home.line.optedOut", { title }) : title;
      return say("home.ahead.begins", { program, title: told });
    });
}

function stepReasons(say: Say, { home, plan }: Shown, at: number): string[] {
  return home.devices.flatMap((device) => {
    const { present } = stepsAt(plan, device.id, at);
    if (present === null) return [];
    const does = stepWords(say, device.kind, present);
    const what = say("home.ahead.step", { name: device.name, does });
    return [say("home.story.device", { name: what, reason: present.reason })];
  });
}
