/** The small page that explains trust: all that the hub shows over plain HTTP. */

import { createApp } from "vue";
import { prepareLanguage } from "../i18n";
import "../styles/tokens.css";
import "../styles/base.css";
import TrustPage from "./TrustPage.vue";

await prepareLanguage("any");
createApp(TrustPage).mount("#app");
