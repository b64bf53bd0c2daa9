import type { Brand } from "./brand.ts";

/** The store's change number: every committed change of a record gets the next one. 0 is before the first. */
export type Revision = Brand<number, "Revision">;
