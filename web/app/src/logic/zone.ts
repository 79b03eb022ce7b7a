/** The time zone of this browser, for days that are about it and not about the home. */
export const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;
