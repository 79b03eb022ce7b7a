/** What the hub pushes, as the system shows it. */

export interface Notice {
  title: string;
  body: string;
  tag: string;
  lang: string;
  icon: string;
  badge: string;
  data: string;
}

const NAME = "Home energy";

/** Read what was pushed; a browser must show something for whatever comes. */
export function noticeOf(text: string): Notice {
  const told = parsed(text);
  return {
    title: word(told.title) || NAME,
    body: word(told.body),
    tag: word(told.tag),
    lang: word(told.lang),
    icon: "/icon-192.png",
    badge: "/icon-192.png",
    data: word(told.path) || "/",
  };
}

/** Where a tap on it leads: a place on this page, whatever the message says. */
export function destination(path: unknown, origin: string): string {
  try {
    const to = new URL(word(path) || "/", origin);
    return to.origin === origin ? to.href : `${origin}/`;
  } catch {
    return `${origin}/`;
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    const told: unknown = JSON.parse(text);
    return typeof told === "object" && told !== null ? (told as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function word(value: unknown): string {
  return typeof value === "string" ? value : "";
}
