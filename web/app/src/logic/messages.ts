/** Which of the utility's messages the page shows, and in which order. */

import type { MessageAnswer } from "../api/types";

/** Return those whose time it is and that the owner has not read, urgent ones first. */
export function toShow(messages: MessageAnswer[], now: number): MessageAnswer[] {
  return messages
    .filter((m) => !m.acknowledged && m.starts_at <= now && now < (m.ends_at ?? Infinity))
    .sort((a, b) => Number(b.urgent) - Number(a.urgent) || b.starts_at - a.starts_at);
}
