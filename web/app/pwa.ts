/**
 * What makes the page an app of its own: a manifest for each language, the service worker with the
 * list of all that the page consists of, and the small page that explains trust.
 */

import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import vue from "@vitejs/plugin-vue";
import { build, type HtmlTagDescriptor, type InlineConfig, type Plugin } from "vite";

const LANGUAGES = ["en", "fr", "de", "es"] as const;
/** Not kept for times without a line: icons that the system keeps, and what explains trust. */
const LEFT_OUT = /^(trust\.html|assets\/trust-.*|icon-.*|manifest.*|sw\.js|.*\.(br|gz|map))$/;
const HEAD: HtmlTagDescriptor[] = [
  { tag: "link", attrs: { rel: "manifest", href: "/manifest.en.webmanifest", id: "manifest" } },
  { tag: "link", attrs: { rel: "apple-touch-icon", href: "/icon-apple-180.png" } },
];

interface Own {
  define: Record<string, string>;
  root: string;
  outDir: string;
}

/** Have the page installed as an app, and be there without a line to the hub. */
export function installable(): Plugin {
  let own: Own;
  let written = false;
  return {
    name: "installable",
    apply: "build",
    configResolved({ root, build: { outDir }, define }) {
      own = { root, outDir: join(root, outDir), define: (define ?? {}) as Record<string, string> };
      if (outDir.startsWith("/")) own.outDir = outDir;
    },
    transformIndexHtml: () => HEAD.map((tag) => ({ ...tag, injectTo: "head" as const })),
    writeBundle() {
      written = true;
    },
    closeBundle: {
      sequential: true,
      order: "post",
      async handler() {
        if (!written) return; // the build has failed, and says why
        for (const language of LANGUAGES) writeManifest(own, language);
        await build(trustPage(own));
        await build(worker(own));
      },
    },
  };
}

function writeManifest({ root, outDir }: Own, language: string): void {
  const words = JSON.parse(
    readFileSync(join(root, "src", "locales", language, "phone.json"), "utf8"),
  ) as { app: Record<"name" | "short" | "description", string> };
  const icon = (file: string, sizes: string, purpose = "any") => ({
    src: `/${file}`,
    sizes,
    type: file.endsWith(".svg") ? "image/svg+xml" : "image/png",
    purpose,
  });
  const manifest = {
    id: "/",
    start_url: "/",
    scope: "/",
    lang: language,
    dir: "ltr",
    name: words.app.name,
    short_name: words.app.short,
    description: words.app.description,
    display: "standalone",
    background_color: "#f4f1ea",
    theme_color: "#1d4b4f",
    categories: ["utilities"],
    icons: [
      icon("icon-192.png", "192x192"),
      icon("icon-512.png", "512x512"),
      icon("icon-maskable-512.png", "512x512", "maskable"),
      icon("icon.svg", "any"),
    ],
  };
  writeFileSync(
    join(outDir, `manifest.${language}.webmanifest`),
    `${JSON.stringify(manifest, null, 2)}\n`,
  );
}

/** A build of its own: what runs there must not bring the page along. */
function beside({ root, outDir, define }: Own): InlineConfig {
  return {
    root,
    define,
    configFile: false,
    publicDir: false,
    logLevel: "warn",
    build: { outDir, emptyOutDir: false, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  };
}

function trustPage(own: Own): InlineConfig {
  const base = beside(own);
  return {
    ...base,
    plugins: [vue()],
    build: {
      ...base.build,
      rolldownOptions: {
        input: join(own.root, "trust.html"),
        output: {
          entryFileNames: "assets/trust-[hash].js",
          chunkFileNames: "assets/trust-[name]-[hash].js",
          assetFileNames: "assets/trust-[name]-[hash][extname]",
        },
      },
    },
  };
}

function worker(own: Own): InlineConfig {
  const base = beside(own);
  const files = readdirSync(own.outDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(own.outDir.length + 1))
    .filter((name) => !LEFT_OUT.test(name))
    .sort();
  const version = createHash("sha256");
  for (const name of files) version.update(name).update(readFileSync(join(own.outDir, name)));
  const shell = files.map((name) => (name === "index.html" ? "/" : `/${name}`));
  return {
    ...base,
    define: {
      ...own.define,
      __SHELL__: JSON.stringify(shell),
      __VERSION__: JSON.stringify(version.digest("hex").slice(0, 16)),
    },
    build: {
      ...base.build,
      rolldownOptions: {
        input: join(own.root, "src", "worker", "sw.ts"),
        output: { entryFileNames: "sw.js", format: "iife" },
      },
    },
  };
}
