/** How the dispatch console is built; it shares packages and pure logic with the homeowner's page. */

import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

export default defineConfig({
  root: "console",
  base: "/console/",
  plugins: [vue()],
  define: {
    __VUE_PROD_DEVTOOLS__: "false",
  },
  build: {
    outDir: "../../console-static",
    emptyOutDir: true,
    // The console's content security policy allows files of its own origin only: no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
