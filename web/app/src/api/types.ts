/**
 * The API's models by name, as the hub's own description of its API has them (`schema.ts`, made by
 * `make page-types`). Powers: consumption positive. Times: UTC seconds.
 */

export type * from "./schema";
