import events from "./events.json";
import fleet from "./fleet.json";
import groups from "./groups.json";
import shell from "./shell.json";

export default { events, groups, shell, ...fleet };
