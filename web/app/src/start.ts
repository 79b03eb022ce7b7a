/** The page itself; `main.ts` has asked for all that it waits for. */

import { createApp } from "vue";
import App from "./App.vue";
import { i18n, prepareLanguage } from "./i18n";
import { router } from "./router";
import { guard } from "./state/leave";
import "./styles/tokens.css";
import "./styles/base.css";

await prepareLanguage();
guard(router);
createApp(App).use(i18n).use(router).mount("#app");
