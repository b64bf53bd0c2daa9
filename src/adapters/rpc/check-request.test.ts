import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CheckRequestSchema } from "../../gen/envoy/service/auth/v3/external_auth_pb.ts";
import { type CheckRequest, checkRequestReader, MALFORMED_CHECK } from "./check-request.ts";

const read = checkRequestReader(["authorization", "x-kw-owner", "accept"]);

type Attributes = NonNullable<MessageInitShape<typeof CheckRequestSchema>["attributes"]>;

function bytesOf(attributes: Attributes): Uint8Array {
  return toBinary(CheckRequestSchema, create(CheckRequestSchema, { attributes }));
}

function readAll(bytes: Uint8Array): CheckRequest {
  const request = read(bytes, 0, bytes.length);
  if (request === MALFORMED_CHECK) throw new Error("malformed");
  return request;
}

function headersOf(http: NonNullable<NonNullable<Attributes["request"]>["http"]>) {
  return Object.fromEntries(readAll(bytesOf({ request: { http } })).headers);
}

const text = fc.oneof(fc.string({ maxLength: 200 }), fc.string({ unit: "grapheme", maxLength: 20 }));
const attributes = fc.record({
  source: fc.record({
    principal: text,
    address: fc.record({
      address: fc.record({
        case: fc.constant("socketAddress" as const),
        value: fc.record({
          address: fc.ipV4(),
          portSpecifier: fc.record({ case: fc.constant("portValue" as const), value: fc.nat(65_535) }),
        }),
      }),
    }),
  }),
  destination: fc.record({ service: text }),
  request: fc.record({
    time: fc.constant({ seconds: 1n, nanos: 2 }),
    http: fc.record({
      id: text,
      method: text,
      path: text,
      host: text,
      size: fc.constant(-1n),
      protocol: text,
      headers: fc.dictionary(
        fc.oneof(fc.constantFrom("authorization", "x-kw-owner", "x_kw.owner", "accept"), fc.string()),
        fc.string(),
        { noNullPrototype: true },
      ),
    }),
  }),
  contextExtensions: fc.dictionary(text, text, { noNullPrototype: true }),
});

describe("a CheckRequest", () => {
  it("is read as protobuf-es has written it, wherever in a buffer it stands", () => {
    fc.assert(
      fc.property(attributes, fc.nat({ max: 9 }), (fields, before) => {
        const bytes = bytesOf(fields);
        const padded = Buffer.alloc(before + bytes.length + 7, 0xff);
        padded.set(bytes, before);
        const request = read(padded, before, before + bytes.length);
        const { method, path, headers } = fields.request.http;
        expect(request).toMatchObject({
          method,
          path,
          sourceAddress: fields.source.address.address.value.address,
          contextExtensions: new Map(Object.entries(fields.contextExtensions)),
        });
        const wanted = ["authorization", "x-kw-owner", "x_kw.owner", "accept"];
        for (const name of wanted.filter((one) => Object.hasOwn(headers, one))) {
          const bytesAsText = Buffer.from(headers[name]!).toString("latin1");
          expect(request !== MALFORMED_CHECK && request.headers.get(name)).toEqual([bytesAsText]);
        }
      }),
    );
  });

  it("is no error whatever its bytes are", () => {
    const tampered = fc.tuple(
      attributes,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      fc.nat(),
    );
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), tampered.map(tamper)), (raw) => {
        const bytes = Buffer.from(raw);
        const request = read(bytes, 0, bytes.length);
        expect(request === MALFORMED_CHECK || typeof request.path === "string").toBe(true);
      }),
    );
  });

  it("that ends too early is none", () => {
    const bytes = bytesOf({ request: { http: { method: "GET", path: "/orders" } } });
    for (let end = 1; end < bytes.length; end++) expect(read(bytes, 0, end)).toBe(MALFORMED_CHECK);
  });

  it("with a field that has no number is none", () => {
    for (const tag of [0x00, 0x02, 0x05]) {
      expect(read(Uint8Array.of(tag, 0, 0, 0, 0, 0), 0, 6)).toBe(MALFORMED_CHECK);
    }
  });

  it("comes over no IP where Envoy was reached through a socket file", () => {
    const pipe = { case: "pipe" as const, value: { path: "/run/envoy.sock" } };
    expect(readAll(bytesOf({ source: { address: { address: pipe } } })).sourceAddress).toBe("");
  });

  it("may be empty", () => {
    expect(readAll(new Uint8Array())).toMatchObject({ method: "", path: "", sourceAddress: "" });
  });
});

function tamper([fields, changes, length]: [
  Parameters<typeof bytesOf>[0],
  [number, number][],
  number,
]): Uint8Array {
  const bytes = bytesOf(fields);
  for (const [place, value] of changes) bytes[place % bytes.length] = value;
  return bytes.subarray(0, length % (bytes.length + 1));
}

describe("its headers", () => {
  const raw = (key: string, value: string) => ({ key, rawValue: Buffer.from(value, "latin1") });

  it("are only those that were asked for, in whatever spelling", () => {
    const headers = {
      Authorization: "a",
      x_kw_owner: "b",
      "x.kw-owner": "c",
      "x-kw-owners": "d",
      cookie: "e",
    };
    expect(headersOf({ headers })).toEqual({ authorization: ["a"], x_kw_owner: ["b"], "x.kw-owner": ["c"] });
  });

  it("may come raw, each value apart", () => {
    const headers = [
      raw("authorization", "a"),
      raw("Authorization", "b"),
      raw("accept", "\u00ff"),
      raw("x", "y"),
    ];
    expect(headersOf({ headerMap: { headers } })).toEqual({ authorization: ["a", "b"], accept: ["\u00ff"] });
  });

  it("count once where they come in both forms", () => {
    const headers = { authorization: "a,b", accept: "c" };
    const headerMap = { headers: [raw("authorization", "a"), raw("authorization", "b")] };
    expect(headersOf({ headers, headerMap })).toEqual({ authorization: ["a", "b"], accept: ["c"] });
  });

  it("count twice where the two forms say different things", () => {
    const headerMap = { headers: [raw("authorization", "a")] };
    expect(headersOf({ headers: { authorization: "b" }, headerMap })).toEqual({ authorization: ["a", "b"] });
  });

  it("that differ in their capitals only are two values of one", () => {
    expect(headersOf({ headers: { authorization: "a", Authorization: "b" } })).toEqual({
      authorization: expect.arrayContaining(["a", "b"]),
    });
  });
});
