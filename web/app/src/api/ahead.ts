/** Questions that are asked before the scripts are there that need their answers. */

import { presentLanguage } from "../logic/language";

const asked = new Map<string, Promise<Response>>();

/** Ask now what `api.GET(path)` will ask for. */
export function askAhead(path: string): void {
  const answer = fetch(path, { headers: { "Accept-Language": presentLanguage() } });
  answer.catch(() => undefined); // told to whoever takes it
  asked.set(path, answer);
}

/** Return the answer to a question that was asked ahead, once; undefined where it was not. */
export function takeAnswer(request: Request): Promise<Response> | undefined {
  const { pathname, search } = new URL(request.url);
  const path = pathname + search;
  const answer = request.method === "GET" ? asked.get(path) : undefined;
  asked.delete(path);
  return answer;
}
