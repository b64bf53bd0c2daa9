import * as fc from "fast-check";
import { expect, test } from "vitest";
import { quote } from "./quote.ts";

/** Any code point, lone surrogates included. */
const character = fc.nat(0x10ffff).map((code) => String.fromCodePoint(code));

test.each([
  ["orders:read", '"orders:read"'],
  ['say "hi"\\', '"say \\"hi\\"\\\\"'],
  ["Zürich", '"Zürich"'],
  ["my key is c2p_live_0123456789abcdefghijABCDEFGHIJ01234567", '"my key is <token>"'],
  ["a\nb", '"a\\nb"'],
  ["a\u202eb", '"a\\u{202e}b"'],
  ["a\u2028b", '"a\\u{2028}b"'],
  ["a\u2029b", '"a\\u{2029}b"'],
  ["a\u{e0001}b", '"a\\u{e0001}b"'],
  ["x".repeat(60), `"${"x".repeat(60)}"`],
  ["x".repeat(61), `"${"x".repeat(60)}…"`],
])("%j is shown as %s", (text, shown) => expect(quote(text)).toBe(shown));

test("what is shown is short and has nothing invisible in it", () => {
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 100 }), (text) => {
      expect(quote(text)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      expect(quote(text).length).toBeLessThan(600);
    }),
  );
});
