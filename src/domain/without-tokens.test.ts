import { expect, it } from "vitest";
import { withoutTokens } from "./without-tokens.ts";

it("has no token in it", () => {
  const token = "c2p_live_0123456789abcdefghijABCDEFGHIJ01234567";
  const text = `unknown option '--token=${token}', got ${token.slice(0, 20)} and sk-0123456789abcdefghijABCDEFGHIJ0123`;
  expect(withoutTokens(text)).toBe("unknown option '--token=<token>', got <token> and sk-<long value>");
});

it("still names keys, files, flags and long words", () => {
  const text =
    "key 0190a4b2-5c1e-7d3a-9f00-3b1c2d4e5f60 of internationalizationservices: see /var/lib/keywarden/admin-token or KEYWARDEN_ADMIN_TOKEN";
  expect(withoutTokens(text)).toBe(text);
});
