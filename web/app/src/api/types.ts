/**
 * The API's models by name, as the hub's own description of its API has them (`schema.ts`, made by
 * `make web/app/src/api/schema.ts`). Powers: consumption positive. Times: UTC seconds.
 */

export type * from "./schema";
