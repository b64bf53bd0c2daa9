import { expect, test } from "vitest";
import { getTableColumns } from "./drizzle.ts";
import { apis, auditHead, keys, tokens } from "./schema.ts";
import { SEALED_COLUMNS } from "./sealed-rows.ts";

test.each([
  ["apis", apis],
  ["keys", keys],
  ["tokens", tokens],
  ["audit_head", auditHead],
] as const)("a seal of %s is over every column but itself, in the order of the schema", (name, table) => {
  expect([...SEALED_COLUMNS[name], "seal"]).toEqual(Object.keys(getTableColumns(table)));
});
