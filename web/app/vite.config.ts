import vue from "@vitejs/plugin-vue";
import type { HtmlTagDescriptor, Plugin, Rolldown } from "vite";
import { defineConfig } from "vitest/config";
import { installable } from "./pwa.ts";

/** What asks for things before the page itself is there, and is as small as can be. */
const FIRST =
  /src\/(main|api\/ahead|api\/stream|logic\/(language|regions)|locales\/messages|views)\.ts$|preload-helper/;

/**
 * One file for all that the first page needs, beside the small one that is there first: a browser
 * asks one hub for six files at a time, and each round takes a slow line's whole way there and back.
 */
const FILES: Rolldown.CodeSplittingOptions = {
  groups: [
    { name: "main", test: (id) => FIRST.test(id) },
    {
      debugName: "start",
      name: (id, context) =>
        belongsTo(id, "/src/start.ts", (each) => context.getModuleInfo(each)) ? "start" : null,
    },
  ],
};

/** Whether a module is loaded with another: imported by it, or by what it imports, at once. */
function belongsTo(
  id: string,
  end: string,
  about: (id: string) => Rolldown.ModuleInfo | null,
  seen = new Set<string>(),
): boolean {
  if (id.endsWith(end)) return true;
  if (seen.has(id)) return false;
  seen.add(id);
  return (about(id)?.importers ?? []).some((by) => belongsTo(by, end, about, seen));
}

/** Have the browser fetch the page's own scripts and styles beside the small one that starts them. */
function fetchedAtOnce(): Plugin {
  return {
    name: "fetched-at-once",
    transformIndexHtml: {
      order: "post",
      handler(_html, { bundle }) {
        const chunks = Object.values(bundle ?? {}).filter(isStart);
        const styles = new Set(chunks.flatMap((chunk) => [...(chunk.viteMetadata?.importedCss ?? [])]));
        return [
          ...chunks.map((chunk) => link("modulepreload", chunk.fileName)),
          ...[...styles].map((name) => link("stylesheet", name)),
        ];
      },
    },
  };
}

/** Have Chromium compile the page's script while it comes, and not function by function once it runs. */
function compiledAtOnce(): Plugin {
  return {
    name: "compiled-at-once",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        for (const file of Object.values(bundle)) {
          // V8 takes the hint at the very top of a file only.
          if (isStart(file)) file.code = `//# allFunctionsCalledOnLoad\n${file.code}`;
        }
      },
    },
  };
}

function isStart(file: Rolldown.OutputAsset | Rolldown.OutputChunk): file is Rolldown.OutputChunk {
  return file.type === "chunk" && file.name === "start";
}

function link(rel: string, file: string): HtmlTagDescriptor {
  return { tag: "link", attrs: { rel, href: `/${file}`, crossorigin: true }, injectTo: "head" };
}

export default defineConfig({
  plugins: [vue(), fetchedAtOnce(), compiledAtOnce(), installable()],
  define: {
    __VUE_PROD_DEVTOOLS__: "false",
  },
  build: {
    outDir: "../static",
    emptyOutDir: true,
    // The page's content security policy allows files of its own origin only: no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { output: { codeSplitting: FILES } },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8099" } },
  test: { environment: "node", include: ["test/**/*.test.ts", "console/test/**/*.test.ts"], css: true },
});
