/**
 * The first script to run, and small: on a slow line it asks for everything that the page waits for
 * at once, the hub's figures and the page's words, while the page itself is still on its way.
 */

import { askAhead } from "./api/ahead";
import { callAhead } from "./api/stream";
import { firstMessagesIn, messagesIn } from "./locales/messages";
import { chosenLanguage, keepLanguage } from "./logic/language";
import { readHabits } from "./logic/regions";
import { viewAhead } from "./views";

const language = chosenLanguage();
keepLanguage(language);
callAhead();
askAhead("/api/me");
if (location.pathname === "/") {
  void firstMessagesIn(language);
} else {
  void messagesIn(language);
  viewAhead(location.pathname);
}
void import("./start");
// The page needs these at once when it comes; there is nothing to do until then.
readHabits(language);
