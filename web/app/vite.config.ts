import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [vue()],
  build: {
    outDir: "../static",
    emptyOutDir: true,
    // The page's content security policy allows files of its own origin only: no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8099" } },
  test: { environment: "node", include: ["test/**/*.test.ts"], css: true },
});
