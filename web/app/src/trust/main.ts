/** The small page that explains trust: all that the hub shows over plain HTTP. */

import { createApp } from "vue";
import { i18n, prepareLanguage } from "../i18n";
import "../styles/tokens.css";
import "../styles/base.css";
import TrustPage from "./TrustPage.vue";

await prepareLanguage("any");
createApp(TrustPage).use(i18n).mount("#app");
