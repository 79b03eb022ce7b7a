import { describe, expect, it } from "vitest";
import { createSSRApp } from "vue";
import { renderToString } from "vue/server-renderer";
import DeviceTile from "../src/components/home/DeviceTile.vue";
import { speak } from "../src/i18n";
import { device } from "./home";
import { TEXTS } from "./say";

speak("en", TEXTS.en);

function drawn(functions: string[], next = ""): Promise<string> {
  const shown = device("pv", "pv", { functions });
  return renderToString(createSSRApp(DeviceTile, { device: shown, sinceS: 0, next }));
}

describe("a device's tile", () => {
  it("says what the device does for the grid, one line each", async () => {
    const html = await drawn(["Absorbs 500 var: the utility asks", "Moves <b>its</b> power"]);
    expect(html.match(/data-testid="function"/g)).toHaveLength(2);
    expect(html).toContain("Absorbs 500 var: the utility asks");
    expect(html).toContain("Moves &lt;b&gt;its&lt;/b&gt; power");
  });

  it("has no such line for a device that does nothing", async () => {
    expect(await drawn([])).not.toContain('data-testid="function"');
  });

  it("says what it does next where the plan says so", async () => {
    expect(await drawn([], "22:00: rests")).toContain("22:00: rests");
    expect(await drawn([])).not.toContain('data-testid="next"');
  });
});
