/** What gives a text by its key: the page's `t`, or a test's. */
export type Say = (key: string, named?: Record<string, unknown>) => string;
