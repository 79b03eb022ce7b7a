/** What gives a text by its key: vue-i18n's `t`. */
export type Say = (key: string, named?: Record<string, unknown>) => string;
