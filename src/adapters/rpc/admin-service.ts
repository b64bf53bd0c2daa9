import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { AdminParts } from "../../app/admin-parts.ts";
import { createAuditCheckpoint, listAuditEvents, verifyAudit } from "../../app/audit.ts";
import { createApi } from "../../app/create-api.ts";
import { createKey, type IssuedKey } from "../../app/create-key.ts";
import type { DecisionExplainer } from "../../app/decision-explainer.ts";
import { deleteApi } from "../../app/delete-api.ts";
import { disableKey } from "../../app/disable-key.ts";
import { enableKey } from "../../app/enable-key.ts";
import { endKeyGrace } from "../../app/end-grace.ts";
import { explainKey } from "../../app/explain-key.ts";
import { explainRoute } from "../../app/explain-route.ts";
import { importKeys } from "../../app/import-keys.ts";
import { getApi, getKey, listApis, listKeys } from "../../app/read-records.ts";
import { revokeKey } from "../../app/revoke-key.ts";
import { rotateKey } from "../../app/rotate-key.ts";
import { updateApi } from "../../app/update-api.ts";
import { updateKey } from "../../app/update-key.ts";
import { lastUsesOf } from "../../app/usage-last-uses.ts";
import { queryUsage } from "../../app/usage-query.ts";
import type { Key } from "../../domain/key.ts";
import { invalidArgument } from "../../domain/keywarden-error.ts";
import * as rpc from "../../gen/keywarden/v1/admin_service_pb.ts";
import { ExplainKeyResponseSchema, ExplainRouteResponseSchema } from "../../gen/keywarden/v1/explain_pb.ts";
import type { Key as KeyMessage } from "../../gen/keywarden/v1/key_pb.ts";
import { QueryUsageResponseSchema } from "../../gen/keywarden/v1/usage_pb.ts";
import type { UnaryMethod } from "../../ports/transport.ts";
import { unaryMethods } from "../grpc/service-methods.ts";
import { type AdminServing, admittedCalls, type CalledParts } from "./admitted-calls.ts";
import { apiInputOf, apiPatchOf, apiToMessage } from "./api-message.ts";
import {
  auditEventToMessage,
  auditFilterOf,
  auditFindingsToMessage,
  checkpointOf,
  checkpointToMessage,
  revisionOf,
} from "./audit-message.ts";
import {
  explainQuestionOf,
  explanationToMessage,
  routeExplanationToMessage,
  routeQuestionOf,
} from "./explain-message.ts";
import { importKeysInputOf, importToMessage } from "./import-message.ts";
import { createKeyInputOf, keyFilterOf, keyPatchOf, keyToMessage } from "./key-message.ts";
import { durationMilliseconds } from "./moments.ts";
import { apiIdOf, apiReferenceOf, keyIdOf, keyReferenceOf } from "./references.ts";
import { usageQuestionOf, usageToMessage } from "./usage-message.ts";

/** AdminService: translates messages to the use cases and back, for whom each method lets in. Throws as `admittedCalls`. */
export function adminMethods(
  serving: AdminServing,
  explainer: Pick<DecisionExplainer, "explain">,
): readonly UnaryMethod[] {
  return unaryMethods<(typeof rpc.AdminService)["method"], CalledParts>(
    rpc.AdminService,
    {
      async createApi({ api }, parts) {
        const created = await createApi(parts, apiInputOf(given(api, "api")));
        return create(rpc.CreateApiResponseSchema, { api: apiToMessage(created) });
      },
      async getApi({ apiId }, parts) {
        return create(rpc.GetApiResponseSchema, {
          api: apiToMessage(await getApi(parts, apiIdOf(apiId, "api_id"))),
        });
      },
      async listApis({ pageSize, pageToken }, parts) {
        const { items, nextPageToken } = await listApis(parts, { size: pageSize, token: pageToken });
        return create(rpc.ListApisResponseSchema, { apis: items.map(apiToMessage), nextPageToken });
      },
      async updateApi({ api, updateMask }, parts) {
        const asked = given(api, "api");
        const updated = await updateApi(parts, apiReferenceOf(asked, "api."), apiPatchOf(asked, updateMask));
        return create(rpc.UpdateApiResponseSchema, { api: apiToMessage(updated) });
      },
      async deleteApi(reference, parts) {
        await deleteApi(parts, apiReferenceOf(reference));
        return create(rpc.DeleteApiResponseSchema);
      },
      async createKey({ key, requestId }, parts) {
        const issued = await createKey(parts, createKeyInputOf(given(key, "key")), requestId);
        return create(rpc.CreateKeyResponseSchema, issuedToMessage(issued));
      },
      async getKey({ keyId }, parts) {
        return create(rpc.GetKeyResponseSchema, {
          key: await usedKey(parts, await getKey(parts, keyIdOf(keyId, "key_id"))),
        });
      },
      async listKeys(request, parts) {
        const { pageSize: size, pageToken: token } = request;
        const { items, nextPageToken } = await listKeys(parts, keyFilterOf(request), { size, token });
        const usesOf = await lastUsesOf(parts.store, items);
        const keys = items.map((key) => keyToMessage(key, usesOf(key)));
        return create(rpc.ListKeysResponseSchema, { keys, nextPageToken });
      },
      async updateKey({ key, updateMask }, parts) {
        const asked = given(key, "key");
        const updated = await updateKey(parts, keyReferenceOf(asked, "key."), keyPatchOf(asked, updateMask));
        return create(rpc.UpdateKeyResponseSchema, { key: keyToMessage(updated) });
      },
      async rotateKey({ keyId, etag, grace, requestId }, parts) {
        const graceMs = grace === undefined ? 0 : durationMilliseconds(grace, "grace");
        const issued = await rotateKey(parts, keyReferenceOf({ keyId, etag }), graceMs, requestId);
        const key = await usedKey(parts, issued.key);
        return create(rpc.RotateKeyResponseSchema, { ...issuedToMessage(issued), key });
      },
      async revokeKey(reference, parts) {
        return create(rpc.RevokeKeyResponseSchema, {
          key: keyToMessage(await revokeKey(parts, keyReferenceOf(reference))),
        });
      },
      async disableKey(reference, parts) {
        return create(rpc.DisableKeyResponseSchema, {
          key: keyToMessage(await disableKey(parts, keyReferenceOf(reference))),
        });
      },
      async enableKey(reference, parts) {
        return create(rpc.EnableKeyResponseSchema, {
          key: keyToMessage(await enableKey(parts, keyReferenceOf(reference))),
        });
      },
      async explainKey(request, parts) {
        const { question, keyId } = explainQuestionOf(request);
        const explanation = await explainKey(parts, explainer, question, keyId);
        return create(ExplainKeyResponseSchema, explanationToMessage(explanation));
      },
      async explainRoute(request, parts) {
        const explanation = await explainRoute(parts, routeQuestionOf(request));
        return create(ExplainRouteResponseSchema, routeExplanationToMessage(explanation));
      },
      async endGrace(reference, parts) {
        const key = await usedKey(parts, await endKeyGrace(parts, keyReferenceOf(reference)));
        return create(rpc.EndGraceResponseSchema, { key });
      },
      async batchImportKeys(request, parts) {
        return importToMessage(await importKeys(parts, importKeysInputOf(request)));
      },
      async queryUsage(request, parts) {
        const { pageSize: size, pageToken: token } = request;
        const usage = await queryUsage(parts, usageQuestionOf(request), { size, token });
        return create(QueryUsageResponseSchema, usageToMessage(usage));
      },
      async listAuditEvents(request, parts) {
        const { pageSize: size, pageToken: token } = request;
        const { items, nextPageToken } = await listAuditEvents(parts, auditFilterOf(request), {
          size,
          token,
        });
        return create(rpc.ListAuditEventsResponseSchema, {
          events: items.map(auditEventToMessage),
          nextPageToken,
        });
      },
      async verifyAudit({ fromRevision, checkpoint }, parts) {
        const from = revisionOf(fromRevision, "from_revision");
        const kept = checkpoint && checkpointOf(checkpoint);
        return create(
          rpc.VerifyAuditResponseSchema,
          auditFindingsToMessage(await verifyAudit(parts, from, kept)),
        );
      },
      async createAuditCheckpoint(_request, parts) {
        const checkpoint = checkpointToMessage(await createAuditCheckpoint(parts));
        return create(rpc.CreateAuditCheckpointResponseSchema, { checkpoint });
      },
    },
    admittedCalls(rpc.AdminService, serving),
  );
}

/** The key, with the last use of its tokens. */
async function usedKey({ store }: AdminParts, key: Key): Promise<KeyMessage> {
  const usesOf = await lastUsesOf(store, [key]);
  return keyToMessage(key, usesOf(key));
}

/** The only place where a token leaves the process. */
function issuedToMessage(
  issued: IssuedKey,
): MessageInitShape<typeof rpc.CreateKeyResponseSchema> &
  MessageInitShape<typeof rpc.RotateKeyResponseSchema> {
  const key = keyToMessage(issued.key);
  return issued.replayed ? { key, replayed: true } : { key, token: issued.token.reveal() };
}

function given<Message>(message: Message | undefined, field: string): Message {
  if (message !== undefined) return message;
  throw invalidArgument([{ field, description: "must be set" }]);
}
