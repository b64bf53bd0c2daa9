import type { Verdict } from "./value-rules.ts";
import { tagged, varint, WireType } from "./wire-records.ts";

const NOBODYS_FIELD = 18_999;
const DEEP = 200;
const group = (depth: number, type: number) =>
  Buffer.concat(Array.from({ length: depth }, () => tagged(NOBODYS_FIELD, type)));
const END_GROUP = 4;

/** What is done to a whole request. */
export const WHOLE_REQUESTS: readonly {
  readonly label: string;
  readonly verdicts: readonly Verdict[];
  readonly around: (message: Uint8Array) => Uint8Array;
}[] = [
  {
    label: "with a field that nobody knows",
    verdicts: ["OK"],
    around: (message) => Buffer.concat([message, tagged(NOBODYS_FIELD, WireType.VARINT, varint(1n))]),
  },
  {
    label: "with a group that nobody knows",
    verdicts: ["OK"],
    around: (message) => Buffer.concat([message, group(3, WireType.START_GROUP), group(3, END_GROUP)]),
  },
  {
    label: "with too many groups within each other",
    verdicts: ["INVALID_ARGUMENT"],
    around: (message) => Buffer.concat([message, group(DEEP, WireType.START_GROUP), group(DEEP, END_GROUP)]),
  },
  {
    label: "with a group that does not end",
    verdicts: ["INVALID_ARGUMENT"],
    around: (message) => Buffer.concat([message, group(1, WireType.START_GROUP)]),
  },
  {
    label: "with a group that ends and did not begin",
    verdicts: ["INVALID_ARGUMENT"],
    around: (message) => Buffer.concat([message, group(1, END_GROUP)]),
  },
  {
    label: "with a field of the number 0",
    verdicts: ["INVALID_ARGUMENT"],
    around: (message) => Buffer.concat([message, Uint8Array.of(0, 0)]),
  },
  {
    label: "that ends within a tag",
    verdicts: ["INVALID_ARGUMENT"],
    around: (message) => Buffer.concat([message, Uint8Array.of(0xff)]),
  },
  {
    label: "that ends within a field",
    verdicts: ["INVALID_ARGUMENT"],
    around: (message) =>
      Buffer.concat([message, tagged(NOBODYS_FIELD, WireType.LENGTH_DELIMITED, varint(2n ** 31n))]),
  },
  {
    label: "of random bytes",
    verdicts: ["INVALID_ARGUMENT"],
    around: () => Uint8Array.from({ length: 64 }, (_, index) => ((index * 73 + 11) % 256) | 0x80),
  },
];
