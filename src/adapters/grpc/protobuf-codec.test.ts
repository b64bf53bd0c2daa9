import { create, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { VerifyKeyRequestSchema } from "../../gen/keywarden/v1/verify_service_pb.ts";
import { protobufCodec } from "./protobuf-codec.ts";

const codec = protobufCodec(VerifyKeyRequestSchema);
const message = fc
  .record({
    token: fc.string({ unit: "binary" }),
    requiredScope: fc.string(),
    cost: fc.nat(),
    dryRun: fc.boolean(),
  })
  .map((init) => create(VerifyKeyRequestSchema, init));

test("a message that is encoded anywhere in a buffer decodes to itself, and its neighbours stay", () => {
  fc.assert(
    fc.property(message, fc.nat(20), fc.nat(20), (original, before, after) => {
      const size = codec.maxSize(original);
      const bytes = Buffer.alloc(before + size + after, 0xee);
      const end = codec.encode(original, bytes, before);
      expect(end - before).toBeLessThanOrEqual(size);
      expect(codec.decode(bytes, before, end)).toEqual(original);
      const around = [...bytes.subarray(0, before), ...bytes.subarray(end)];
      expect(around.every((byte) => byte === 0xee)).toBe(true);
    }),
  );
});

test("a message is encoded as it is, whatever was sized before it", () => {
  fc.assert(
    fc.property(message, message, (sized, encoded) => {
      const bytes = Buffer.alloc(10_000);
      codec.maxSize(sized);
      const end = codec.encode(encoded, bytes, 0);
      expect(bytes.subarray(0, end)).toEqual(Buffer.from(toBinary(VerifyKeyRequestSchema, encoded)));
    }),
  );
});

test("a message changed after it was encoded is encoded anew", () => {
  const changing = create(VerifyKeyRequestSchema, { token: "a" });
  const bytes = Buffer.alloc(100);
  codec.maxSize(changing);
  codec.encode(changing, bytes, 0);
  changing.token = "b";
  expect(codec.decode(bytes, 0, codec.encode(changing, bytes, 0)).token).toBe("b");
});

const decodeOrRefuse = (bytes: Uint8Array): unknown => {
  try {
    return codec.decode(bytes, 0, bytes.length).$typeName;
  } catch (error) {
    return error instanceof Error ? "refused" : error;
  }
};

test("any bytes are read as a message or refused with an Error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(["keywarden.v1.VerifyKeyRequest", "refused"]).toContain(decodeOrRefuse(bytes));
    }),
  );
});

test("invalid UTF-8 is refused, unknown fields are dropped", () => {
  expect(() => codec.decode(Buffer.from([0x0a, 0x02, 0xc3, 0x28]), 0, 4)).toThrow(Error);
  const decoded = codec.decode(Buffer.from([0xfa, 0x7f, 0x01, 0x00, 0x0a, 0x01, 0x61]), 0, 7);
  expect(decoded).toEqual(create(VerifyKeyRequestSchema, { token: "a" }));
});
