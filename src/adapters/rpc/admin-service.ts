import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { AdminParts } from "../../app/admin-parts.ts";
import { createAuditCheckpoint, listAuditEvents, verifyAudit } from "../../app/audit.ts";
import { createApi } from "../../app/create-api.ts";
import { createKey, type IssuedKey } from "../../app/create-key.ts";
import { deleteApi } from "../../app/delete-api.ts";
import { disableKey } from "../../app/disable-key.ts";
import { enableKey } from "../../app/enable-key.ts";
import { endKeyGrace } from "../../app/end-grace.ts";
import { explainKey } from "../../app/explain-key.ts";
import { importKeys } from "../../app/import-keys.ts";
import { getApi, getKey, listApis, listKeys } from "../../app/read-records.ts";
import { revokeKey } from "../../app/revoke-key.ts";
import { rotateKey } from "../../app/rotate-key.ts";
import { updateApi } from "../../app/update-api.ts";
import { updateKey } from "../../app/update-key.ts";
import type { KeyVerifier } from "../../app/verify-key.ts";
import { invalidArgument } from "../../domain/keywarden-error.ts";
import * as rpc from "../../gen/keywarden/v1/admin_service_pb.ts";
import { ExplainKeyResponseSchema } from "../../gen/keywarden/v1/explain_pb.ts";
import type { UnaryMethod } from "../../ports/transport.ts";
import { unaryMethods } from "../grpc/service-methods.ts";
import { apiInputOf, apiPatchOf, apiToMessage } from "./api-message.ts";
import {
  auditEventToMessage,
  auditFilterOf,
  auditFindingsToMessage,
  checkpointOf,
  checkpointToMessage,
  revisionOf,
} from "./audit-message.ts";
import { explainQuestionOf, explanationToMessage } from "./explain-message.ts";
import { importKeysInputOf, importToMessage } from "./import-message.ts";
import { createKeyInputOf, keyFilterOf, keyPatchOf, keyToMessage } from "./key-message.ts";
import { durationMilliseconds } from "./moments.ts";
import { administrator, requiredScope } from "./required-scope.ts";

/** What the administration is made of, before somebody calls it. */
type Authority = Omit<AdminParts, "caller">;

/**
 * AdminService: asks for the credential that each method needs, and translates messages to the use cases and back.
 * Throws TypeError if a method's proto does not say what it needs.
 */
export function adminMethods(
  authority: Authority,
  verifier: Pick<KeyVerifier, "verifyOne" | "explain">,
  onInternalError: (error: unknown, path: string) => void,
): readonly UnaryMethod[] {
  for (const method of rpc.AdminService.methods) requiredScope(method);
  const verifyOne = verifier.verifyOne.bind(verifier);
  return unaryMethods<(typeof rpc.AdminService)["method"], AdminParts>(
    rpc.AdminService,
    {
      async createApi({ api }, parts) {
        const created = await createApi(parts, apiInputOf(given(api, "api")));
        return create(rpc.CreateApiResponseSchema, { api: apiToMessage(created) });
      },
      async getApi({ apiId }, parts) {
        return create(rpc.GetApiResponseSchema, { api: apiToMessage(await getApi(parts, apiId)) });
      },
      async listApis({ pageSize, pageToken }, parts) {
        const { items, nextPageToken } = await listApis(parts, { size: pageSize, token: pageToken });
        return create(rpc.ListApisResponseSchema, { apis: items.map(apiToMessage), nextPageToken });
      },
      async updateApi({ api, updateMask }, parts) {
        const asked = given(api, "api");
        const updated = await updateApi(parts, asked, apiPatchOf(asked, updateMask));
        return create(rpc.UpdateApiResponseSchema, { api: apiToMessage(updated) });
      },
      async deleteApi(reference, parts) {
        await deleteApi(parts, reference);
        return create(rpc.DeleteApiResponseSchema);
      },
      async createKey({ key, requestId }, parts) {
        const issued = await createKey(parts, createKeyInputOf(given(key, "key")), requestId);
        return create(rpc.CreateKeyResponseSchema, issuedToMessage(issued));
      },
      async getKey({ keyId }, parts) {
        return create(rpc.GetKeyResponseSchema, { key: keyToMessage(await getKey(parts, keyId)) });
      },
      async listKeys(request, parts) {
        const { pageSize: size, pageToken: token } = request;
        const { items, nextPageToken } = await listKeys(parts, keyFilterOf(request), { size, token });
        return create(rpc.ListKeysResponseSchema, { keys: items.map(keyToMessage), nextPageToken });
      },
      async updateKey({ key, updateMask }, parts) {
        const asked = given(key, "key");
        const updated = await updateKey(parts, asked, keyPatchOf(asked, updateMask));
        return create(rpc.UpdateKeyResponseSchema, { key: keyToMessage(updated) });
      },
      async rotateKey({ keyId, etag, grace, requestId }, parts) {
        const graceMs = grace === undefined ? 0 : durationMilliseconds(grace, "grace");
        const issued = await rotateKey(parts, { keyId, etag }, graceMs, requestId);
        return create(rpc.RotateKeyResponseSchema, issuedToMessage(issued));
      },
      async revokeKey(reference, parts) {
        return create(rpc.RevokeKeyResponseSchema, { key: keyToMessage(await revokeKey(parts, reference)) });
      },
      async disableKey(reference, parts) {
        return create(rpc.DisableKeyResponseSchema, {
          key: keyToMessage(await disableKey(parts, reference)),
        });
      },
      async enableKey(reference, parts) {
        return create(rpc.EnableKeyResponseSchema, { key: keyToMessage(await enableKey(parts, reference)) });
      },
      async explainKey(request, parts) {
        const { question, keyId } = explainQuestionOf(request);
        const explanation = await explainKey(parts, verifier.explain.bind(verifier), question, keyId);
        return create(ExplainKeyResponseSchema, explanationToMessage(explanation));
      },
      async endGrace(reference, parts) {
        return create(rpc.EndGraceResponseSchema, { key: keyToMessage(await endKeyGrace(parts, reference)) });
      },
      async batchImportKeys(request, parts) {
        return importToMessage(await importKeys(parts, importKeysInputOf(request)));
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
    {
      contextOf: async (call, method) => ({
        ...authority,
        caller: await administrator(call, method, verifyOne),
      }),
      onInternalError,
    },
  );
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
