import events from "./events.json";
import fleet from "./fleet.json";
import groups from "./groups.json";
import server from "./server.json";
import shell from "./shell.json";

/** What the server says in English, by its own templates; `said` finds and fills them. */
export const sentences = server;

export default { events, groups, shell, ...fleet };
