import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { expect, it } from "vitest";
import { CreateKeyRequestSchema } from "../../gen/keywarden/v1/admin_service_pb.ts";
import { VerifyKeyRequestSchema } from "../../gen/keywarden/v1/verify_service_pb.ts";
import { wireProblem } from "./wire-problem.ts";

const VALID = toBinary(
  CreateKeyRequestSchema,
  create(CreateKeyRequestSchema, {
    key: {
      owner: "acct_1",
      scopes: ["a", "ü"],
      metadata: { team: "a", "": "" },
      rateLimits: [{ name: "default", quota: 4_294_967_295, window: durationFromMs(-1_500) }],
      state: -1 as never,
    },
  }),
);

/** A CreateKeyRequest whose key is what is written. */
const keyOf = (write: (writer: BinaryWriter) => void) => {
  const key = new BinaryWriter();
  write(key);
  return new BinaryWriter().tag(1, 2).bytes(key.finish()).finish();
};

it("finds nothing wrong with a message", () => {
  expect(wireProblem(CreateKeyRequestSchema, VALID)).toBeUndefined();
  expect(wireProblem(CreateKeyRequestSchema, new Uint8Array())).toBeUndefined();
});

it.each<[string, (writer: BinaryWriter) => void, string, string]>([
  [
    "a number as an owner",
    (key) => key.tag(4, 0).uint32(1),
    "key.owner",
    "is a text, bytes or message, and this is a number",
  ],
  [
    "a text as a state",
    (key) => key.tag(12, 2).string("x"),
    "key.state",
    "is a number, and this is a text, bytes or message",
  ],
  [
    "a second scope that is not UTF-8",
    (key) => key.tag(6, 2).string("a").tag(6, 2).bytes(Uint8Array.of(0xff)),
    "key.scopes[1]",
    "is a text in UTF-8, and these 1 bytes are not",
  ],
  [
    "a label's value that is not UTF-8",
    (key) => key.tag(9, 2).fork().tag(1, 2).string("te\u202eam").tag(2, 2).bytes(Uint8Array.of(0xff)).join(),
    'key.metadata["te\\u{202e}am"]',
    "is a text in UTF-8, and these 1 bytes are not",
  ],
  [
    "a quota of 2^32",
    (key) =>
      key
        .tag(8, 2)
        .fork()
        .tag(2, 0)
        .uint64(2n ** 32n)
        .join(),
    "key.rate_limits[0].quota",
    "is a number from 0 to 4,294,967,295, and this is greater",
  ],
  [
    "a limit that is longer than what came",
    (key) => key.tag(8, 2).uint32(5),
    "key.rate_limits[0]",
    "ends too early: it says that it is longer than what came",
  ],
])("names %s", (_what, write, field, description) => {
  expect(wireProblem(CreateKeyRequestSchema, keyOf(write))).toEqual({
    violation: { field, description },
    message: `${field}: ${description}`,
  });
});

it("names no field where there is none to be named", () => {
  expect(wireProblem(CreateKeyRequestSchema, Uint8Array.of(0xff))).toEqual({
    violation: undefined,
    message: expect.stringContaining("ends too early"),
  });
});

it("takes a field that is unknown, and one that comes twice", () => {
  const bytes = new BinaryWriter()
    .tag(1, 2)
    .string("a")
    .tag(100, 3)
    .tag(5, 0)
    .uint32(1)
    .tag(100, 4)
    .tag(1, 2)
    .string("b");
  expect(wireProblem(VerifyKeyRequestSchema, bytes.finish())).toBeUndefined();
});

it("lets nothing pass that protobuf refuses", () => {
  const edited = fc.tuple(fc.nat(VALID.length - 1), fc.nat(255)).map(([at, byte]) => VALID.with(at, byte));
  fc.assert(
    fc.property(fc.oneof(edited, fc.uint8Array({ maxLength: 40 })), (bytes) => {
      if (wireProblem(CreateKeyRequestSchema, bytes) === undefined) {
        expect(() => fromBinary(CreateKeyRequestSchema, bytes)).not.toThrow();
      }
    }),
    { numRuns: 5_000 },
  );
});
