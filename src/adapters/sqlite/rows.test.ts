import { describe, expect, it } from "vitest";
import { testApi, testKey } from "../../../test/support/records.ts";
import { decodeApi, decodeKey, encodeApi, encodeKey } from "./rows.ts";

const SECRET = "what-is-there-instead";

const limits = [{ name: "default", quota: 1, window: 1_000 }];
const key = encodeKey(
  testKey({
    rateLimits: limits,
    allowedCidrs: ["::1/128"],
    metadata: { team: "print" },
    previousToken: { hint: "ord_", expireTime: 1 },
  }),
  7,
);
const api = encodeApi(
  testApi({
    scopes: [{ name: "orders:read", description: "" }],
    routeRules: [{ methods: ["GET"], path: "/", requiredScope: "", cost: 1, environment: "" }],
    keyDefaults: { ttl: 1, rateLimits: limits },
    importedTokenShapes: [{ prefix: "", minLength: 16, maxLength: 32 }],
  }),
  7,
);

/** For a column that holds this: values that no encoder writes. */
function wrongFor(value: unknown): readonly unknown[] {
  const wrong = [Buffer.from(SECRET), {}, undefined, 1.5, Number.MAX_SAFE_INTEGER + 1];
  if (typeof value === "number") return [...wrong, SECRET];
  if (typeof value !== "string" || !/^[[{]/.test(value)) return wrong;
  return [...wrong, "", "[", ...wrongJson(JSON.parse(value)).map((json) => JSON.stringify(json))];
}

/** Of another type, or with an item or a field of another type. */
function wrongJson(json: unknown): readonly unknown[] {
  if (Array.isArray(json)) return [null, {}, SECRET, ...wrongJson(json[0]).map((item) => [item])];
  if (typeof json !== "object" || json === null) return [null, {}, typeof json === "string" ? 1 : SECRET];
  const fields = Object.entries(json).flatMap(([name, value]) =>
    wrongJson(value).map((wrong) => ({ ...json, [name]: wrong })),
  );
  return [null, [], SECRET, ...fields];
}

describe.each([
  ["key", key, decodeKey],
  ["API", api, decodeApi],
] as const)("a stored %s", (_kind, row, decode) => {
  it("can be decoded as it was encoded", () => {
    expect(() => decode({ ...key, ...api, ...row })).not.toThrow();
  });

  it.each(Object.entries(row))(
    "is an error that names the column where %s is wrong, and not its value",
    (column, value) => {
      for (const wrong of wrongFor(value)) {
        const tampered = { ...key, ...api, ...row, [column]: wrong };
        const error = errorOf(() => decode(tampered));
        expect(error, `${column} = ${String(wrong)}`).toBeInstanceOf(TypeError);
        expect(error).toHaveProperty("message", expect.stringContaining(column));
        expect(String(error)).not.toContain(SECRET);
      }
    },
  );
});

it("a previous token is an error unless it has both hint and expire time", () => {
  expect(() => decodeKey({ ...key, previous_hint: null })).toThrow(TypeError);
  expect(() => decodeKey({ ...key, previous_expire_time: null })).toThrow(TypeError);
});

it("a state is an error unless it is one that a key can have", () => {
  for (const state of ["active", "", "SUPER"]) expect(() => decodeKey({ ...key, state })).toThrow(/state/);
});

function errorOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}
