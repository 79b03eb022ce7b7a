/** The API's models by name, as the operator's door describes them itself (`schema.ts`). */

export type * from "./schema";
