/** The console itself. */

import { createApp } from "vue";
import "../../src/styles/tokens.css";
import "../../src/styles/base.css";
import "./styles/console.css";
import App from "./App.vue";
import { chosenLanguage, useLanguage } from "./i18n";
import { router } from "./router";

await useLanguage(chosenLanguage());
createApp(App).use(router).mount("#app");
