import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  BatchVerifyKeysRequestSchema,
  VerifyKeyRequestSchema,
} from "../../gen/keywarden/v1/verify_service_pb.ts";
import { decodeMessage } from "../grpc/protobuf-codec.ts";
import { decodeVerifyKeyRequest, decodeVerifyKeyRequests, fromMessage } from "./verify-key-request.ts";

const text = fc.oneof(
  fc.string({ maxLength: 150 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.constant(""),
);
const message = fc.record({
  token: text,
  requiredScope: text,
  clientIp: text,
  environment: text,
  api: text,
  cost: fc.option(fc.nat({ max: 0xffff_ffff }), { nil: undefined }),
  dryRun: fc.boolean(),
});

it("reads what protobuf-es reads, wherever in a buffer it stands", () => {
  fc.assert(
    fc.property(message, fc.nat({ max: 20 }), ({ cost, ...fields }, before) => {
      const request = create(VerifyKeyRequestSchema, { ...fields, ...(cost !== undefined && { cost }) });
      const bytes = toBinary(VerifyKeyRequestSchema, request);
      const padded = Buffer.alloc(before + bytes.length + 7, 0xff);
      padded.set(bytes, before);
      expect(decodeVerifyKeyRequest(padded, before, before + bytes.length)).toEqual(fromMessage(request));
    }),
  );
});

it("reads or refuses any bytes as protobuf-es does", () => {
  const read = (decode: () => unknown) => {
    try {
      return { read: decode() };
    } catch {
      return "refused";
    }
  };
  const fields = fc.array(
    fc.tuple(
      fc.constantFrom(0x0a, 0x12, 0x1a, 0x22, 0x2a, 0x30, 0x38, 0x42, 0x08),
      fc.uint8Array({ maxLength: 6 }),
    ),
  );
  const almost = fields.map((list) =>
    Uint8Array.from(list.flatMap(([tag, rest]) => [tag, rest.length, ...rest])),
  );
  const varints = fields.map((list) => Uint8Array.from(list.flatMap(([tag, rest]) => [tag, ...rest])));
  fc.assert(
    fc.property(fc.oneof(almost, varints, fc.uint8Array({ maxLength: 40 })), (raw) => {
      const bytes = Buffer.from(raw);
      expect(read(() => decodeVerifyKeyRequest(bytes, 0, bytes.length))).toEqual(
        read(() => fromMessage(decodeMessage(VerifyKeyRequestSchema, bytes, 0, bytes.length))),
      );
    }),
    { numRuns: 5_000 },
  );
});

it("reads or refuses a batch as protobuf-es does", () => {
  const read = (decode: () => unknown) => {
    try {
      return decode();
    } catch (error) {
      return String(error);
    }
  };
  const batches = fc
    .array(message, { maxLength: 4 })
    .map((requests) =>
      toBinary(BatchVerifyKeysRequestSchema, create(BatchVerifyKeysRequestSchema, { requests })),
    );
  const edited = fc.tuple(batches, fc.nat(), fc.nat(255)).map(([bytes, at, byte]) => {
    return bytes.length === 0 ? bytes : bytes.with(at % bytes.length, byte);
  });
  fc.assert(
    fc.property(fc.oneof(batches, edited), (raw) => {
      const bytes = Buffer.from(raw);
      expect(read(() => decodeVerifyKeyRequests(bytes, 0, bytes.length))).toEqual(
        read(() =>
          decodeMessage(BatchVerifyKeysRequestSchema, bytes, 0, bytes.length).requests.map(fromMessage),
        ),
      );
    }),
    { numRuns: 3_000 },
  );
});

it("refuses a string that is not UTF-8", () => {
  const bytes = Buffer.from([0x0a, 0x02, 0xc3, 0x28]);
  expect(() => decodeVerifyKeyRequest(bytes, 0, bytes.length)).toThrow(/utf-?8|encoded/i);
});

it("passes over fields that it does not know", () => {
  const bytes = new BinaryWriter().uint32(0x0a).string("t").uint32(0x7a).string("from the future").finish();
  expect(decodeVerifyKeyRequest(bytes, 0, bytes.length).token).toBe("t");
});

it("costs 1 where no cost is said, and nothing where 0 is", () => {
  const unsaid = toBinary(VerifyKeyRequestSchema, create(VerifyKeyRequestSchema, {}));
  const free = toBinary(VerifyKeyRequestSchema, create(VerifyKeyRequestSchema, { cost: 0 }));
  expect(decodeVerifyKeyRequest(unsaid, 0, unsaid.length).cost).toBe(1);
  expect(decodeVerifyKeyRequest(free, 0, free.length).cost).toBe(0);
});
