/** Systems by how one makes them trust the hub. */

export const SYSTEMS = ["ios", "android", "windows", "macos", "linux", "firefox"] as const;
export type System = (typeof SYSTEMS)[number];

/** Return which one a browser says that it runs on; `touches` tells an iPad from the Mac it names. */
export function systemOf(agent: string, touches: number): System {
  if (/iPhone|iPad|iPod/.test(agent)) return "ios";
  if (/Macintosh/.test(agent) && touches > 1) return "ios";
  if (/Android/.test(agent)) return "android";
  if (/Firefox\//.test(agent)) return "firefox";
  if (/Windows/.test(agent)) return "windows";
  if (/Macintosh/.test(agent)) return "macos";
  return "linux";
}

/** What a system takes the certificate in. */
export function fileFor(system: System): string {
  return system === "ios" ? "/api/lan/home-energy.mobileconfig" : "/api/lan/home-energy.crt";
}
