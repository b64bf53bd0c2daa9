import { create, toBinary } from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import * as fc from "fast-check";
import type { FieldPlace } from "./field-places.ts";
import { brokenMessages, endlessVarint, tooGreat, unreadableTexts, wrongTypes } from "./unreadable-values.ts";
import { delimited, tagged, varint, WireType } from "./wire-records.ts";

/** What a place holds in place of what it should. */
export interface BadValue {
  /** For whoever reads what failed. */
  readonly label: string;
  /** What stands on the wire for the field of this number. */
  records(number: number): readonly Uint8Array[];
  readonly meaning: Meaning;
  /** One that is tried also where nobody looks. */
  readonly isWorst?: boolean;
}

/** What it means to who knows the field: a rule judges that. */
export type Meaning =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "number"; readonly number: bigint }
  | { readonly kind: "bytes"; readonly length: number }
  /** Milliseconds, cut downwards; undefined: no such time or duration. */
  | { readonly kind: "moment"; readonly milliseconds: number | undefined; readonly isWhole: boolean }
  | { readonly kind: "unset" }
  /** A message of which nothing is set. */
  | { readonly kind: "blank" }
  | { readonly kind: "several"; readonly count: number; readonly isTwice: boolean }
  /** Nothing that the field's type can have: always refused. */
  | { readonly kind: "unreadable" };

/** What makes the values: the same seed makes the same ones. */
export interface Hostility {
  readonly seed: number;
  /** A credential, which no error may repeat. */
  readonly secret: string;
}

/** Lengths just within and just beyond what rules like to have as their limits. */
const LENGTHS = [5, 16, 17, 25, 32, 33, 64, 65, 128, 129, 256, 257, 512, 513, 1001, 20_000];

/** Of the same item. */
const SEVERAL = [2, 9, 101, 1_001];

/** What does not show, or reorders what does. */
const MARKS = [
  ["NUL", "\0"],
  ["a line feed", "\n"],
  ["an escape sequence", "\u001b[31m"],
  ["DEL", "\u007f"],
  ["a C1 control", "\u0085"],
  ["a right-to-left override", "\u202e"],
  ["a right-to-left isolate", "\u2067"],
  ["an isolate", "\u2066"],
  ["a right-to-left mark", "\u200f"],
  ["a zero-width space", "\u200b"],
  ["a byte order mark", "\ufeff"],
  ["a word joiner", "\u2060"],
  ["a soft hyphen", "\u00ad"],
  ["a line separator", "\u2028"],
  ["a tag character", "\u{e0041}"],
] as const;

const TEXTS = [
  ["a space", " "],
  ["spaces of all kinds", "\u00a0\u2003\u3000"],
  ["a decomposed letter", "e\u0301"],
  ["a composed letter", "\u00e9"],
  ["an emoji", "😀"],
  ["a star", "*"],
  ["an attribute of every object", "__proto__"],
  ["SQL", "'; DROP TABLE keys; --"],
  ["a path", "../../etc/passwd"],
  ["a number", "-1"],
] as const;

/** Mostly letters, and of the others what has done harm before. */
const HOSTILE_UNIT = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(..."abcz09_-.:") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...MARKS.map(([, mark]) => mark), " ", "\u0301", "é", "%", '"', "\\"),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 0x20, max: 0x10ffff })
      .filter((code) => code < 0xd800 || code > 0xdfff)
      .map((code) => String.fromCodePoint(code)),
  },
);
const RANDOM_TEXTS = 4;

/** No enum has a member of this number. */
export const NO_MEMBER = 99n;

const NUMBERS = {
  int32: [0n, 1n, -1n, 7n, 99n, 1_000n, 1_001n, 2n ** 31n - 1n, -(2n ** 31n)],
  uint32: [0n, 1n, 15n, 16n, 512n, 513n, 1_000_000n, 1_000_001n, 2n ** 32n - 1n],
  int64: [0n, 1n, -1n, 1_000_000_000n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)],
  bool: [0n, 1n],
  enum: [0n, 1n, NO_MEMBER, -1n, 2n ** 31n - 1n],
} as const;

/** Of numbers that do not fit; protobuf would cut them, and 2^32 is 0 then. */
const TOO_GREAT = { int32: 2n ** 31n, uint32: 2n ** 32n, enum: 2n ** 32n } as const;

const YEAR_1 = -62_135_596_800n;
const YEAR_10000 = 253_402_300_800n;
const MOST_SECONDS = 315_576_000_000n;

/** Seconds and nanoseconds: valid ones first. */
const TIMES: readonly (readonly [seconds: bigint, nanos: number, isValid: boolean])[] = [
  [YEAR_1, 0, true],
  [0n, 0, true],
  [1_000_000_000n, 999_999_999, true],
  [YEAR_10000 - 1n, 999_999_999, true],
  [YEAR_10000, 0, false],
  [YEAR_1 - 1n, 999_999_999, false],
  [2n ** 63n - 1n, 0, false],
  [-(2n ** 63n), 0, false],
  [4_000_000_000n, -1, false],
  [4_000_000_000n, 1_000_000_000, false],
];

const DURATIONS: readonly (readonly [seconds: bigint, nanos: number, isValid: boolean])[] = [
  [0n, 0, true],
  [0n, 1, true],
  [0n, 999_999_999, true],
  [1n, 0, true],
  [1n, 1, true],
  [60n, 500_000_000, true],
  [31n * 86_400n, 0, true],
  [31n * 86_400n, 1_000_000, true],
  [100n * 366n * 86_400n, 0, true],
  [9_000n * 366n * 86_400n, 0, true],
  [0n, -1, true],
  [-1n, 0, true],
  [-MOST_SECONDS, 0, true],
  [MOST_SECONDS + 1n, 0, false],
  [2n ** 63n - 1n, 0, false],
  [-(2n ** 63n), 0, false],
  [1n, -1, false],
  [-1n, 1, false],
  [1n, 1_000_000_000, false],
];

/** Everything bad that the place's kind allows. `given`: what a valid request has there. */
export function badValues(
  { kind }: Pick<FieldPlace, "kind">,
  given: Uint8Array | undefined,
  hostility: Hostility,
): readonly BadValue[] {
  switch (kind) {
    case "string":
      return [
        UNSET,
        ...textValues(Buffer.from(given ?? "a").toString(), hostility),
        ...unreadableTexts(),
        ...wrongTypes(true),
      ];
    case "bytes":
      return [UNSET, ...[0, 1, 31, 32, 33, 20_000].map(bytesValue), ...wrongTypes(true)];
    case "int32":
    case "uint32":
    case "enum":
      return [
        UNSET,
        ...NUMBERS[kind].map(numberValue),
        tooGreat(TOO_GREAT[kind]),
        endlessVarint(),
        ...wrongTypes(false),
      ];
    case "int64":
    case "bool":
      return [UNSET, ...NUMBERS[kind].map(numberValue), endlessVarint(), ...wrongTypes(false)];
    case "timestamp":
      return [
        UNSET,
        ...TIMES.map((time) => momentValue(TimestampSchema, ...time)),
        ...brokenMessages(),
        ...wrongTypes(true),
      ];
    case "duration":
      return [
        UNSET,
        ...DURATIONS.map((time) => momentValue(DurationSchema, ...time)),
        ...brokenMessages(),
        ...wrongTypes(true),
      ];
    case "message":
      return [UNSET, BLANK, ...brokenMessages(), ...wrongTypes(true)];
    case "list":
      return [UNSET, ...SEVERAL.map((count) => theSame(given, count))];
    case "map":
      return [UNSET, theSame(given, 2), labels(32), labels(33), labels(1_001)];
  }
}

const UNSET: BadValue = { label: "nothing", records: () => [], meaning: { kind: "unset" } };
const BLANK: BadValue = {
  label: "an empty message",
  records: (number) => [delimited(number, new Uint8Array())],
  meaning: { kind: "blank" },
};

function textValues(given: string, { seed, secret }: Hostility): readonly BadValue[] {
  const letter = /^[a-z]/.test(given) ? given.slice(0, 1) : "a";
  const random = fc.sample(fc.string({ unit: HOSTILE_UNIT, minLength: 1, maxLength: 40 }), {
    seed,
    numRuns: RANDOM_TEXTS,
  });
  return [
    textValue("an empty text", ""),
    ...MARKS.map(([label, mark]) => textValue(`${label} at its end`, given + mark)),
    { ...textValue("a right-to-left override alone", "\u202e"), isWorst: true },
    ...TEXTS.map(([label, text]) => textValue(label, text)),
    ...LENGTHS.map((length) => textValue(`${length} letters`, letter.repeat(length))),
    textValue("129 emojis", "😀".repeat(129)),
    textValue("a credential", secret),
    textValue("a credential with something wrong behind it", `${secret} AND`),
    ...random.map((text, index) =>
      textValue(`random text ${index} of seed ${seed}: ${JSON.stringify(text)}`, text),
    ),
  ];
}

function textValue(label: string, text: string): BadValue {
  return {
    label,
    records: (number) => [delimited(number, Buffer.from(text))],
    meaning: { kind: "text", text },
  };
}

function bytesValue(length: number): BadValue {
  return {
    label: `${length} bytes`,
    records: (number) => [delimited(number, Buffer.alloc(length, 0xa5))],
    meaning: { kind: "bytes", length },
  };
}

function numberValue(number: bigint): BadValue {
  return {
    label: String(number),
    records: (field) => [tagged(field, WireType.VARINT, varint(number))],
    meaning: { kind: "number", number },
  };
}

function momentValue(
  schema: typeof TimestampSchema | typeof DurationSchema,
  seconds: bigint,
  nanos: number,
  isValid: boolean,
): BadValue {
  const content = toBinary<typeof schema>(schema, create<typeof schema>(schema, { seconds, nanos }));
  return {
    label: `${seconds} s and ${nanos} ns`,
    records: (number) => [delimited(number, content)],
    meaning: {
      kind: "moment",
      milliseconds: isValid ? Number(seconds) * 1000 + Math.floor(nanos / 1e6) : undefined,
      isWhole: nanos % 1e6 === 0,
    },
  };
}

function theSame(given: Uint8Array | undefined, count: number): BadValue {
  return {
    label: `${count} times the same`,
    records: (number) => Array.from({ length: count }, () => delimited(number, given ?? new Uint8Array())),
    meaning: { kind: "several", count, isTwice: true },
  };
}

/** Entries of a map of texts by texts. */
function labels(count: number): BadValue {
  const entry = (index: number) =>
    Buffer.concat([delimited(1, Buffer.from(`label-${index}`)), delimited(2, Buffer.from("x"))]);
  return {
    label: `${count} labels`,
    records: (number) => Array.from({ length: count }, (_, index) => delimited(number, entry(index))),
    meaning: { kind: "several", count, isTwice: false },
  };
}
