import type { BadValue } from "./bad-values.ts";
import { delimited, tagged, varint, WireType } from "./wire-records.ts";

/** Not UTF-8: a lone surrogate, a slash that is too long, the beginning of a letter, and a byte of no letter. */
const NO_UTF8 = [
  ["a lone surrogate", [0xed, 0xa0, 0x80]],
  ["an overlong slash", [0xc0, 0xaf]],
  ["half a letter", [0x61, 0xc3]],
  ["a byte of no letter", [0xff]],
] as const;

function unreadable(label: string, records: (number: number) => readonly Uint8Array[]): BadValue {
  return { label, records, meaning: { kind: "unreadable" } };
}

export function unreadableTexts(): readonly BadValue[] {
  return NO_UTF8.map(([label, bytes]) =>
    unreadable(label, (number) => [delimited(number, Uint8Array.from(bytes))]),
  );
}

export function tooGreat(number: bigint): BadValue {
  return unreadable(`${number}, which does not fit`, (field) => [
    tagged(field, WireType.VARINT, varint(number)),
  ]);
}

export function endlessVarint(): BadValue {
  return unreadable("a number of 11 bytes", (number) => [
    tagged(number, WireType.VARINT, new Uint8Array(10).fill(0x80), Uint8Array.of(1)),
  ]);
}

/** Of a message: bytes of no message, and one that ends in the middle. */
export function brokenMessages(): readonly BadValue[] {
  return [
    unreadable("a message that ends too early", (number) => [
      delimited(number, Uint8Array.of(0x0a, 0x05, 0x61)),
    ]),
    unreadable("a message of garbage", (number) => [
      delimited(number, Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff)),
    ]),
  ];
}

/** What a field of another type looks like. */
export function wrongTypes(isDelimited: boolean): readonly BadValue[] {
  const eight = (number: number) => [tagged(number, WireType.BIT64, new Uint8Array(8))];
  const four = (number: number) => [tagged(number, WireType.BIT32, new Uint8Array(4))];
  const other = isDelimited
    ? unreadable("a number", (number) => [tagged(number, WireType.VARINT, varint(3n))])
    : unreadable("a text", (number) => [delimited(number, Buffer.from("abc"))]);
  return [unreadable("eight bytes", eight), unreadable("four bytes", four), other];
}
