import { describe, expect, it } from "vitest";
import { fileFor, systemOf } from "../src/logic/systems";

describe("which system a browser runs on", () => {
  it.each([
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Safari/604.1", 5, "ios"],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15", 5, "ios"],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15", 0, "macos"],
    ["Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/141.0 Mobile Safari/537.36", 5, "android"],
    ["Mozilla/5.0 (Android 15; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0", 5, "android"],
    ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/141.0 Safari/537.36", 0, "windows"],
    ["Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0", 0, "firefox"],
    ["Mozilla/5.0 (X11; Linux x86_64) Chrome/141.0 Safari/537.36", 0, "linux"],
    ["", 0, "linux"],
  ] as const)("%s", (agent, touches, system) => {
    expect(systemOf(agent, touches)).toBe(system);
  });

  it("Apple's phones take a profile, all others the certificate", () => {
    expect(fileFor("ios")).toMatch(/mobileconfig$/);
    expect(fileFor("windows")).toMatch(/crt$/);
  });
});
