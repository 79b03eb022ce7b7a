/**
 * The first script to run, and small: on a slow line it asks for everything that the page waits for
 * at once, the hub's figures and the page's words, while the page itself is still on its way.
 */

import { askAhead } from "./api/ahead";
import { callAhead } from "./api/stream";
import { firstMessagesIn } from "./locales/messages";
import { chosenLanguage, keepLanguage } from "./logic/language";

const language = chosenLanguage();
keepLanguage(language);
callAhead();
askAhead("/api/me");
void firstMessagesIn(language);
void import("./start");
