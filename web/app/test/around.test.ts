import { describe, expect, it } from "vitest";
import { createSSRApp, h } from "vue";
import { renderToString } from "vue/server-renderer";
import { speak, TextAround } from "../src/i18n";

speak("en", { taking: "Taking {figure} from {where}." });

describe("a text in which elements stand", () => {
  it("has them in their places, and nothing where there is none", async () => {
    const figure = () => [h("b", "1 kW")];
    const html = await renderToString(createSSRApp(() => h(TextAround, { of: "taking" }, { figure })));
    expect(html.replaceAll(/<!--.*?-->/g, "")).toBe("Taking <b>1 kW</b> from .");
  });
});
