import { describe, expect, it } from "vitest";
import { destination, noticeOf } from "../src/logic/pushed";

describe("what is pushed", () => {
  it("is shown as it was told", () => {
    const told = { title: "Car", body: "late", path: "/car", tag: "car:1", at: 1, lang: "en" };
    expect(noticeOf(JSON.stringify(told))).toMatchObject({
      title: "Car",
      body: "late",
      tag: "car:1",
      data: "/car",
    });
  });

  it.each(["", "no json", "null", "[]", '"x"', '{"title": 3}'])("shows something for %j", (text) => {
    expect(noticeOf(text)).toMatchObject({ title: "Home energy", data: "/" });
  });

  it.each([
    ["/car", "https://hems.local/car"],
    ["/devices/ev?x=1", "https://hems.local/devices/ev?x=1"],
    ["//evil.example/", "https://hems.local/"],
    ["https://evil.example/", "https://hems.local/"],
    ["javascript:alert(1)", "https://hems.local/"],
    [undefined, "https://hems.local/"],
    ["http://[", "https://hems.local/"],
  ])("a tap on %j leads to %s", (path, to) => {
    expect(destination(path, "https://hems.local")).toBe(to);
  });
});
