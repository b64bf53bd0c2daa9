import type { Api, ApiId, Environment } from "../../src/domain/api.ts";
import type { Key, KeyId } from "../../src/domain/key.ts";
import type { Revision } from "../../src/domain/revision.ts";
import { createSealKey } from "../../src/domain/seal.ts";
import type { AuditEntry } from "../../src/ports/store.ts";

const ORDERS = "orders" as ApiId;
const TEST = "test" as Environment;

/** An API that tests start from. */
export function testApi(fields: Partial<Api> = {}): Api {
  return {
    id: ORDERS,
    displayName: "Orders",
    tokenPrefix: "ord",
    environments: [TEST, "live" as Environment],
    scopes: [],
    routeRules: [],
    keyDefaults: { ttl: null, rateLimits: [] },
    importedTokenShapes: [],
    createTime: 1_000,
    updateTime: 1_000,
    revision: 0 as Revision,
    ...fields,
  };
}

/** A key of that API, allowed anywhere to read orders. */
export function testKey(fields: Partial<Key> = {}): Key {
  return {
    id: testKeyId(1),
    api: ORDERS,
    environment: TEST,
    owner: "acct_1",
    displayName: "",
    scopes: ["orders:read"],
    allowedCidrs: [],
    rateLimits: [],
    metadata: {},
    binding: null,
    state: "ACTIVE",
    expireTime: null,
    generation: 1,
    hint: "ord_test_…abcd",
    previousToken: null,
    createTime: 1_000,
    updateTime: 1_000,
    revokeTime: null,
    revision: 0 as Revision,
    ...fields,
  };
}

/** The id of the test key of this number. */
export function testKeyId(number: number): KeyId {
  return `0193b0a8-0000-7000-8000-${String(number).padStart(12, "0")}` as KeyId;
}

export const SEAL_KEY = createSealKey(Buffer.alloc(32, "a seal key for tests"));

/** What the audit says of a change that no test looks at. */
export const ENTRY: AuditEntry = {
  action: "UpdateKey",
  actor: { kind: "SYSTEM", keyId: null, ip: "" },
  requestId: "",
  time: 1_000,
  before: null,
};
