import { expect, test } from "vitest";
import { invalidArgument, KeywardenError } from "./keywarden-error.ts";

test("an error keeps its cause for the log, and says what, where and why to the caller", () => {
  const cause = new Error("SQLITE_BUSY");
  const error = new KeywardenError({
    status: "UNAVAILABLE",
    reason: "STORE_UNAVAILABLE",
    message: "busy",
    cause,
  });
  expect(error).toMatchObject({ name: "KeywardenError", status: "UNAVAILABLE", reason: "STORE_UNAVAILABLE" });
  expect(error.message).toBe("busy");
  expect(error.cause).toBe(cause);
  expect(error.violations).toEqual([]);
});

test("an error without a cause has none", () => {
  expect("cause" in new KeywardenError({ status: "ABORTED", reason: "R", message: "m" })).toBe(false);
});

test("violations are summed up in the message", () => {
  const violations = [
    { field: "key.owner", description: "is required" },
    { field: "key.scopes[0]", description: "a scope is not empty" },
  ];
  const error = invalidArgument(violations);
  expect(error).toMatchObject({ status: "INVALID_ARGUMENT", reason: "INVALID_FIELDS", violations });
  expect(error.message).toBe("key.owner: is required; key.scopes[0]: a scope is not empty");
  expect(invalidArgument(violations, "OTHER").reason).toBe("OTHER");
});
