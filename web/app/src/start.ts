/** The page itself; `main.ts` has asked for all that it waits for. */

import { createApp } from "vue";
import App from "./App.vue";
import { prepareLanguage, sayEverything } from "./i18n";
import { router } from "./router";
import { guard } from "./state/leave";
import "./styles/tokens.css";
import "./styles/base.css";

const REST_MS = 2000;

await prepareLanguage(location.pathname === "/" ? "first" : "any");
guard(router);
router.beforeResolve(async (to) => {
  if (to.path !== "/") await sayEverything();
});
createApp(App).use(router).mount("#app");
// The other views' words come once the first view stands, so that going there waits for nothing.
window.setTimeout(() => void sayEverything(), REST_MS);
