import fc from "fast-check";
import { expect, it } from "vitest";
import { testKey } from "../../../test/support/records.ts";
import { normalisedName } from "./header.ts";
import { headerSafe, identityHeaders, identityNames } from "./identity.ts";

it("names the key, and leaves out what it has not", () => {
  expect(identityHeaders(testKey({ scopes: [] }), "x-kw-")).toEqual([
    ["x-kw-key-id", testKey().id],
    ["x-kw-owner", "acct_1"],
    ["x-kw-environment", "test"],
    ["x-kw-api", "orders"],
  ]);
});

it("sets no header that is not among those which nobody else may send", () => {
  const names = identityNames("x-kw-");
  for (const [name] of identityHeaders(testKey(), "x-kw-")) expect(names).toContain(name);
});

it("is printable ASCII that decodes to what it was", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" })), (text) => {
      const safe = headerSafe(text);
      expect(safe).toMatch(/^([\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?)?$/);
      expect(decodeURIComponent(safe)).toBe(text.toWellFormed());
    }),
  );
});

it("takes all spellings for one that a server behind a proxy may", () => {
  for (const name of ["X-Keywarden-Owner", "x_keywarden_owner", "X.KEYWARDEN~OWNER", "x-keywarden_owner"]) {
    expect(normalisedName(name)).toBe("x-keywarden-owner");
  }
});
