import { createHash, randomBytes } from "node:crypto";
import { create, type DescMessage, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import * as rpc from "../../src/gen/keywarden/v1/admin_service_pb.ts";
import { ExplainKeyRequestSchema, ExplainRouteRequestSchema } from "../../src/gen/keywarden/v1/explain_pb.ts";
import { BatchImportKeysRequestSchema } from "../../src/gen/keywarden/v1/import_pb.ts";
import { Key_State, type KeySchema } from "../../src/gen/keywarden/v1/key_pb.ts";
import * as self from "../../src/gen/keywarden/v1/self_service_pb.ts";
import {
  QueryUsageRequest_Granularity,
  QueryUsageRequestSchema,
} from "../../src/gen/keywarden/v1/usage_pb.ts";
import {
  BatchVerifyKeysRequestSchema,
  VerifyKeyRequestSchema,
} from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import type { AdminClient, KeywardenProcess } from "../support/keywarden-process.ts";

/** A valid request, and whose it is if not an administrator's. */
export interface BaseRequest {
  readonly message: Message;
  readonly token?: string;
  /** Something was made for it. */
  readonly isNews?: boolean;
}

/** Makes a request that is valid now. */
export type MakeRequest = () => BaseRequest | Promise<BaseRequest>;

/** What the requests are about. */
export interface World {
  readonly admin: AdminClient;
  readonly server: KeywardenProcess;
  /** Of a key that may read orders from 203.0.113.0/24. */
  readonly token: string;
}

const MINUTE = durationFromMs(60_000);
const LATER = timestampFromDate(new Date("2100-01-01T00:00:00Z"));
const BEFORE = timestampFromDate(new Date("2020-01-01T00:00:00Z"));

const API_FIELDS = {
  displayName: "Orders",
  environments: ["test", "live"],
  scopes: [{ name: "orders:read", description: "reads orders" }],
  routeRules: [
    { methods: ["GET"], path: "/orders/:id", requiredScope: "orders:read", cost: 1, environment: "test" },
  ],
  keyDefaults: {
    ttl: durationFromMs(86_400_000),
    rateLimits: [{ name: "default", quota: 100, window: MINUTE }],
  },
  importedTokenShapes: [{ prefix: "sk_", minLength: 16, maxLength: 128 }],
};

const KEY_FIELDS = {
  owner: "acct_1",
  displayName: "CI",
  scopes: ["orders:read"] as string[],
  allowedCidrs: ["203.0.113.0/24"] as string[],
  rateLimits: [{ name: "default", quota: 1_000_000, window: MINUTE }],
  metadata: { team: "billing" },
};

const EXPIRATION = { case: "expireTime", value: LATER } as const;

const CREDENTIAL_FIELDS: MessageInitShape<typeof KeySchema> = {
  owner: "backend",
  scopes: ["verify:call"],
  binding: { apis: ["orders"], environment: "test" },
};

/** APIs that are called the same as their token prefixes. */
async function createApi({ admin }: World, name: string): Promise<void> {
  await admin.createApi({
    api: { ...API_FIELDS, apiId: name, tokenPrefix: name, scopes: [], keyDefaults: { rateLimits: [] } },
  });
}

async function createKey({ admin }: World, api: string): Promise<{ keyId: string; token: string }> {
  const { key, token } = await admin.createKey({
    key: { ...KEY_FIELDS, expiration: EXPIRATION, api, environment: "test" },
  });
  return { keyId: key?.keyId ?? "", token };
}

/** A server with an API and a key to ask about. */
export async function createWorld(server: KeywardenProcess): Promise<World> {
  const admin = server.adminClient();
  const world = { admin, server, token: "" };
  await createApi(world, "orders");
  const { token } = await createKey(world, "orders");
  return { ...world, token };
}

/** Valid requests of every method, by its name; what one can't have in it, another has. */
export async function baseRequests(world: World): Promise<ReadonlyMap<string, readonly MakeRequest[]>> {
  const { admin, token } = world;
  let made = 0;
  const newName = () => `n${(++made).toString(36)}`;
  const standing = () => createKey(world, "orders");
  await createApi(world, "changed");
  const shown = await standing();
  const changed = await standing();
  const rotated = await standing();
  const revoked = await standing();
  const disabled = await standing();
  const enabled = await standing();
  const ended = await standing();
  // Its holder is where this test runs.
  const ownKey = () => admin.createKey({ key: { owner: "acct_1", api: "orders", environment: "test" } });
  const own = await ownKey();
  const credential = await admin.createKey({
    key: { ...CREDENTIAL_FIELDS, api: "keywarden", environment: "live" },
  });
  const { checkpoint } = await admin.createAuditCheckpoint({});
  const always =
    <Schema extends DescMessage>(schema: Schema, init: () => MessageInitShape<Schema>): MakeRequest =>
    () => ({ message: create(schema, init()) });
  const question = {
    requiredScope: "orders:read",
    clientIp: "203.0.113.7",
    environment: "test",
    api: "orders",
    cost: 1,
  };
  return new Map<string, readonly MakeRequest[]>([
    [
      "CreateApi",
      [
        always(rpc.CreateApiRequestSchema, () => {
          const name = newName();
          return { api: { ...API_FIELDS, apiId: name, tokenPrefix: name } };
        }),
      ],
    ],
    ["GetApi", [always(rpc.GetApiRequestSchema, () => ({ apiId: "orders" }))]],
    ["ListApis", [always(rpc.ListApisRequestSchema, () => ({ pageSize: 10 }))]],
    [
      "UpdateApi",
      [
        always(rpc.UpdateApiRequestSchema, () => ({ api: { ...API_FIELDS, apiId: "changed" } })),
        always(rpc.UpdateApiRequestSchema, () => ({
          api: { ...API_FIELDS, apiId: "changed" },
          updateMask: { paths: ["display_name"] },
        })),
      ],
    ],
    [
      "DeleteApi",
      [
        async () => {
          const apiId = newName();
          await createApi(world, apiId);
          return { message: create(rpc.DeleteApiRequestSchema, { apiId }), isNews: true };
        },
      ],
    ],
    [
      "CreateKey",
      [
        always(rpc.CreateKeyRequestSchema, () => ({
          key: { ...KEY_FIELDS, expiration: EXPIRATION, api: "orders", environment: "test" },
        })),
        always(rpc.CreateKeyRequestSchema, () => ({
          key: { ...CREDENTIAL_FIELDS, api: "keywarden", environment: "live" },
        })),
      ],
    ],
    ["GetKey", [always(rpc.GetKeyRequestSchema, () => ({ keyId: shown.keyId }))]],
    [
      "ListKeys",
      [
        always(rpc.ListKeysRequestSchema, () => ({
          pageSize: 10,
          api: "orders",
          environment: "test",
          owner: "acct_1",
          state: Key_State.ACTIVE,
          expiringBefore: LATER,
          scope: "orders:read",
          prefix: "CI",
        })),
      ],
    ],
    [
      "UpdateKey",
      [
        always(rpc.UpdateKeyRequestSchema, () => ({
          key: { ...KEY_FIELDS, expiration: EXPIRATION, keyId: changed.keyId },
        })),
        always(rpc.UpdateKeyRequestSchema, () => ({
          key: { ...KEY_FIELDS, expiration: EXPIRATION, keyId: changed.keyId },
          updateMask: { paths: ["display_name"] },
        })),
        always(rpc.UpdateKeyRequestSchema, () => ({
          key: { ...CREDENTIAL_FIELDS, keyId: credential.key?.keyId ?? "" },
        })),
      ],
    ],
    ["RotateKey", [always(rpc.RotateKeyRequestSchema, () => ({ keyId: rotated.keyId, grace: MINUTE }))]],
    ["RevokeKey", [always(rpc.RevokeKeyRequestSchema, () => ({ keyId: revoked.keyId }))]],
    ["DisableKey", [always(rpc.DisableKeyRequestSchema, () => ({ keyId: disabled.keyId }))]],
    ["EnableKey", [always(rpc.EnableKeyRequestSchema, () => ({ keyId: enabled.keyId }))]],
    ["EndGrace", [always(rpc.EndGraceRequestSchema, () => ({ keyId: ended.keyId }))]],
    [
      "ExplainKey",
      [
        always(ExplainKeyRequestSchema, () => ({
          ...question,
          subject: { case: "keyId" as const, value: shown.keyId },
        })),
        always(ExplainKeyRequestSchema, () => ({
          ...question,
          subject: { case: "token" as const, value: token },
        })),
      ],
    ],
    [
      "ExplainRoute",
      [
        always(ExplainRouteRequestSchema, () => ({
          apiId: "orders",
          method: "GET",
          path: "/orders/7",
          environment: "test",
        })),
      ],
    ],
    [
      "BatchImportKeys",
      [
        always(BatchImportKeysRequestSchema, () => ({
          api: "orders",
          environment: "test",
          keys: [
            {
              ...KEY_FIELDS,
              token: {
                case: "tokenSha256" as const,
                value: createHash("sha256").update(randomBytes(16)).digest(),
              },
              tokenStart: "sk_",
              tokenEnd: "aB1",
              expireTime: LATER,
              createTime: BEFORE,
            },
          ],
        })),
      ],
    ],
    [
      "QueryUsage",
      [
        always(QueryUsageRequestSchema, () => ({
          pageSize: 10,
          api: "orders",
          environment: "test",
          fromTime: BEFORE,
          untilTime: LATER,
          granularity: QueryUsageRequest_Granularity.DAY,
        })),
        always(QueryUsageRequestSchema, () => ({ keyId: shown.keyId })),
      ],
    ],
    [
      "ListAuditEvents",
      [
        always(rpc.ListAuditEventsRequestSchema, () => ({
          pageSize: 10,
          api: "orders",
          recordId: shown.keyId,
          actorKeyId: shown.keyId,
          action: "CreateKey",
          fromTime: BEFORE,
          untilTime: LATER,
        })),
      ],
    ],
    [
      "VerifyAudit",
      [always(rpc.VerifyAuditRequestSchema, () => ({ fromRevision: 0n, ...(checkpoint && { checkpoint }) }))],
    ],
    ["CreateAuditCheckpoint", [always(rpc.CreateAuditCheckpointRequestSchema, () => ({}))]],
    ["GetOwnKey", [() => ({ message: create(self.GetOwnKeyRequestSchema), token: own.token })]],
    [
      "RevokeOwnKey",
      [
        async () => ({
          message: create(self.RevokeOwnKeyRequestSchema),
          token: (await ownKey()).token,
          isNews: true,
        }),
      ],
    ],
    ["VerifyKey", [always(VerifyKeyRequestSchema, () => ({ ...question, token }))]],
    [
      "BatchVerifyKeys",
      [always(BatchVerifyKeysRequestSchema, () => ({ requests: [{ ...question, token }] }))],
    ],
  ]);
}
