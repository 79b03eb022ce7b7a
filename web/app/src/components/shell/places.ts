/** The views that can be gone to from everywhere. */

export interface Place {
  name: string;
  path: string;
  /** Key of what it is called. */
  title: string;
  /** Whether only wide screens show it in the bar; on a phone it is under "more". */
  wide: boolean;
}

export const PLACES: readonly Place[] = [
  { name: "home", path: "/", title: "shell.home", wide: false },
  { name: "devices", path: "/devices", title: "shell.devices", wide: false },
  { name: "car", path: "/car", title: "shell.car", wide: true },
  { name: "programmes", path: "/programmes", title: "shell.programmes", wide: false },
  { name: "history", path: "/history", title: "shell.history", wide: false },
  { name: "more", path: "/more", title: "shell.more", wide: false },
];

/** What is listed under "more". */
export const MORE: readonly Omit<Place, "wide">[] = [
  { name: "car", path: "/car", title: "shell.car" },
  { name: "bill", path: "/bill", title: "shell.bill" },
  { name: "privacy", path: "/privacy", title: "shell.privacy" },
  { name: "people", path: "/people", title: "shell.people" },
  { name: "phone", path: "/phone", title: "shell.phone" },
  { name: "settings", path: "/settings", title: "shell.settings" },
];
