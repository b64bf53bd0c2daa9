import { randomBytes } from "node:crypto";
import { format, inspect } from "node:util";
import { crc32 } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { generateToken, isTokenLabel, matchesImportedShape, parseNativeToken, Token } from "./token.ts";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const source = (n: number) => randomBytes(n);
const label = fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/);

/** A second implementation of the format, from its description. */
function checksumOf(text: string): string {
  let rest = BigInt(crc32(text));
  let digits = "";
  while (digits.length < 6) {
    digits = DIGITS.charAt(Number(rest % 62n)) + digits;
    rest /= 62n;
  }
  return digits;
}

function readByTheBook(text: string): { prefix: string; environment: string } | undefined {
  const match = /^([a-z][a-z0-9]{0,15})_([a-z][a-z0-9]{0,15})_[0-9A-Za-z]{38}$/.exec(text);
  if (match === null || text.endsWith("\n") || checksumOf(text.slice(0, -6)) !== text.slice(-6))
    return undefined;
  return { prefix: match[1]!, environment: match[2]! };
}

describe("a new token", () => {
  test("has the documented shape, and says which prefix and environment it was made for", () => {
    fc.assert(
      fc.property(label, label, fc.infiniteStream(fc.nat(255)), (prefix, environment, bytes) => {
        const token = generateToken(prefix, environment, (n) => Uint8Array.from(bytes.take(n))).reveal();
        expect(readByTheBook(token)).toEqual({ prefix, environment });
        expect(parseNativeToken(token)).toEqual({ prefix, environment });
      }),
    );
  });

  test("uses each of the 62 digits for exactly four byte values, and throws the others away", () => {
    const counts = new Map<string, number>();
    for (let byte = 0; byte < 256; byte++) {
      // Byte values beyond the even share are skipped, so the filler follows.
      const bytes = new Uint8Array(64).fill(61).fill(byte, 0, 1);
      const digit = generateToken("a", "b", () => bytes)
        .reveal()
        .charAt(4);
      counts.set(digit, (counts.get(digit) ?? 0) + 1);
    }
    // The filler is the last digit, and so is what took the place of the eight that were thrown away.
    expect([...counts.keys()].toSorted().join("")).toBe(DIGITS);
    expect(counts.get("z")).toBe(4 + 8);
    counts.delete("z");
    expect(new Set(counts.values())).toEqual(new Set([4]));
  });

  test("takes its 32 random digits from the source in order, over as many reads as it needs", () => {
    const reads = [new Uint8Array(64).fill(255), Uint8Array.from({ length: 64 }, (_, i) => i % 62)];
    const token = generateToken("a", "b", () => reads.shift()!).reveal();
    expect(token).toBe(`a_b_${DIGITS.slice(0, 32)}${checksumOf(`a_b_${DIGITS.slice(0, 32)}`)}`);
  });

  test("is refused rather than made from a source that gives nothing usable", () => {
    let reads = 0;
    const broken = (n: number) => new Uint8Array(n).fill(++reads > 16 ? 0 : 255);
    expect(() => generateToken("a", "b", broken)).toThrow("source of randomness");
    reads = 0;
    const late = (n: number) => new Uint8Array(n).fill(++reads < 16 ? 255 : 0);
    expect(generateToken("a", "b", late).reveal()).toContain("0".repeat(32));
    expect(() => generateToken("a", "b", () => new Uint8Array(0))).toThrow(RangeError);
  });

  test.each([
    ["", "live"],
    ["c2p", ""],
    ["C2p", "live"],
    ["2cp", "live"],
    ["c2p", "li-ve"],
    ["a".repeat(17), "live"],
    ["c2p", "a".repeat(17)],
  ])("is not made for %j and %j", (prefix, environment) => {
    expect(() => generateToken(prefix, environment, source)).toThrow(/1 to 16 of a-z and 0-9/);
  });

  test("is never the same twice", () => {
    expect(generateToken("c2p", "live", source).reveal()).not.toBe(
      generateToken("c2p", "live", source).reveal(),
    );
  });
});

describe("reading a token", () => {
  test("refuses every change of a single character", () => {
    const token = generateToken("c2p", "live", source).reveal();
    for (let at = 0; at < token.length; at++) {
      for (let code = 0; code < 0x250; code++) {
        const other = String.fromCharCode(code);
        if (other === token[at]) continue;
        expect(parseNativeToken(token.slice(0, at) + other + token.slice(at + 1))).toBeUndefined();
      }
    }
  });

  test("refuses a token of one environment that is passed off as one of another", () => {
    const token = generateToken("c2p", "test", source).reveal();
    expect(parseNativeToken(token.replace("test", "live"))).toBeUndefined();
    expect(parseNativeToken(token.replace("c2p", "kw"))).toBeUndefined();
  });

  test("refuses a token that is cut, padded or doubled", () => {
    const token = generateToken("c2p", "live", source).reveal();
    for (let length = 0; length < token.length; length++) {
      expect(parseNativeToken(token.slice(0, length))).toBeUndefined();
      expect(parseNativeToken(token.slice(length + 1))).toBeUndefined();
    }
    for (const wrong of [
      ` ${token}`,
      `${token} `,
      `${token}\n`,
      `${token}0`,
      token + token,
      `Bearer ${token}`,
    ]) {
      expect(parseNativeToken(wrong)).toBeUndefined();
    }
  });

  test("agrees with the format's description on anything with a right checksum", () => {
    const part = fc.stringMatching(/^[a-z0-9A-Z_-]{0,18}$/);
    const secret = fc.stringMatching(/^[0-9A-Za-z_]{31,33}$/);
    fc.assert(
      fc.property(part, part, secret, (prefix, environment, random) => {
        const checked = `${prefix}_${environment}_${random}`;
        const text = checked + checksumOf(checked);
        expect(parseNativeToken(text)).toEqual(readByTheBook(text));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["a", "b"],
    ["a".repeat(16), "b".repeat(16)],
    ["z9", "a0"],
    ["a".repeat(17), "b"],
    ["a", "b".repeat(17)],
    ["", "b"],
    ["a", ""],
    ["`a", "b"],
    ["a{", "b"],
    ["a/", "b"],
    ["a:", "b"],
    ["a", "b_c"],
  ])("agrees with the format's description at the edge: %j, %j", (prefix, environment) => {
    const checked = `${prefix}_${environment}_${"x".repeat(32)}`;
    const text = checked + checksumOf(checked);
    expect(parseNativeToken(text)).toEqual(readByTheBook(text));
  });

  test("refuses a second spelling of a checksum, with a digit that is none", () => {
    // Were '-' taken for a digit of -1, "1-" would be worth as much as "0z".
    const texts = Array.from({ length: 10_000 }, (_, i) => `a_b_${String(i).padStart(32, "0")}`);
    const checked = texts.find((text) => checksumOf(text).endsWith("0z"))!;
    const checksum = checksumOf(checked);
    expect(parseNativeToken(checked + checksum)).toBeDefined();
    expect(parseNativeToken(`${checked}${checksum.slice(0, 4)}1-`)).toBeUndefined();
  });

  test("refuses random digits that are none, even under a right checksum", () => {
    for (const wrong of ["/", ":", "@", "[", "`", "{", "-", "_", "ÿ"]) {
      const checked = `a_b_${"x".repeat(31)}${wrong}`;
      expect(parseNativeToken(checked + checksumOf(checked))).toBeUndefined();
    }
  });
});

test.each([
  ["a", true],
  ["abc9", true],
  ["a".repeat(16), true],
  ["a".repeat(17), false],
  ["", false],
  ["9a", false],
  ["a_b", false],
  ["é", false],
])("%j can be a prefix or environment: %j", (text, expected) => {
  expect(isTokenLabel(text)).toBe(expected);
});

describe("a token shows only its hint", () => {
  test("in text, JSON, logs and the debugger", () => {
    const token = generateToken("c2p", "live", source);
    const hint = `c2p_live_…${token.reveal().slice(-4)}`;
    expect(token.hint).toBe(hint);
    expect(`${token}`).toBe(hint);
    expect(JSON.stringify({ token })).toBe(JSON.stringify({ token: hint }));
    expect(inspect({ nested: { token } }, { showHidden: true })).toContain(hint);
    for (const shown of [
      format("%s %o %j", token, token, token),
      inspect(token),
      inspect([token], { depth: 9 }),
    ]) {
      expect(shown).toContain(hint);
      expect(shown).not.toContain(token.reveal());
    }
    expect(Object.keys(token)).toEqual([]);
  });

  test.each([
    ["sk-0123456789abcd", "…abcd"],
    ["0123456789abcdef", "…cdef"],
    ["0123456789abcde", "…"],
    ["", "…"],
    ["0123456789abcdef\u202e", "…"],
    ["0123456789abcdef\u001b", "…"],
  ])("and of another shape, %j, at most four characters", (text, expected) => {
    expect(Token.of(text).hint).toBe(expected);
  });
});

test.each([
  ["sk-0123456789abc", true],
  [`sk-${"x".repeat(17)}`, true],
  ["sk-0123456789ab", false],
  [`sk-${"x".repeat(18)}`, false],
  ["SK-0123456789abc", false],
  ["xsk-0123456789abc", false],
  ["sk-0123456789ab ", false],
  ["sk-0123456789a c", false],
  ["sk-0123456789ab\u007f", false],
  ["sk-0123456789abé", false],
  ["sk-0123456789a!~", true],
])("a token issued elsewhere has the shape sk-, 16 to 20: %j is %j", (text, expected) => {
  expect(matchesImportedShape(text, { prefix: "sk-", minLength: 16, maxLength: 20 })).toBe(expected);
});
