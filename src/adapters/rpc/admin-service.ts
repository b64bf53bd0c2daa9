import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { AdminParts } from "../../app/admin-parts.ts";
import { createApi } from "../../app/create-api.ts";
import { createKey, type IssuedKey } from "../../app/create-key.ts";
import { deleteApi } from "../../app/delete-api.ts";
import { disableKey } from "../../app/disable-key.ts";
import { enableKey } from "../../app/enable-key.ts";
import { getApi, getKey, listApis, listKeys } from "../../app/read-records.ts";
import { revokeKey } from "../../app/revoke-key.ts";
import { rotateKey } from "../../app/rotate-key.ts";
import { updateApi } from "../../app/update-api.ts";
import { updateKey } from "../../app/update-key.ts";
import type { ApiId, Environment } from "../../domain/api.ts";
import { invalidArgument } from "../../domain/keywarden-error.ts";
import * as rpc from "../../gen/keywarden/v1/admin_service_pb.ts";
import type { UnaryMethod } from "../../ports/transport.ts";
import { unaryMethods } from "../grpc/service-methods.ts";
import { apiInputOf, apiPatchOf, apiToMessage } from "./api-message.ts";
import { createKeyInputOf, keyPatchOf, keyStateOf, keyToMessage } from "./key-message.ts";
import { durationMilliseconds } from "./moments.ts";

/** AdminService, a translation of its messages to the use cases and back; who may call it is decided around it. */
export function adminMethods(
  parts: AdminParts,
  onInternalError: (error: unknown, path: string) => void,
): readonly UnaryMethod[] {
  return unaryMethods(
    rpc.AdminService,
    {
      async createApi({ api }) {
        const created = await createApi(parts, apiInputOf(given(api, "api")));
        return create(rpc.CreateApiResponseSchema, { api: apiToMessage(created) });
      },
      async getApi({ apiId }) {
        return create(rpc.GetApiResponseSchema, { api: apiToMessage(await getApi(parts, apiId)) });
      },
      async listApis({ pageSize, pageToken }) {
        const { items, nextPageToken } = await listApis(parts, { size: pageSize, token: pageToken });
        return create(rpc.ListApisResponseSchema, { apis: items.map(apiToMessage), nextPageToken });
      },
      async updateApi({ api, updateMask }) {
        const asked = given(api, "api");
        const updated = await updateApi(parts, asked, apiPatchOf(asked, updateMask));
        return create(rpc.UpdateApiResponseSchema, { api: apiToMessage(updated) });
      },
      async deleteApi(reference) {
        await deleteApi(parts, reference);
        return create(rpc.DeleteApiResponseSchema);
      },
      async createKey({ key, requestId }) {
        const issued = await createKey(parts, createKeyInputOf(given(key, "key")), requestId);
        return create(rpc.CreateKeyResponseSchema, issuedToMessage(issued));
      },
      async getKey({ keyId }) {
        return create(rpc.GetKeyResponseSchema, { key: keyToMessage(await getKey(parts, keyId)) });
      },
      async listKeys({ pageSize, pageToken, api, environment, owner, state }) {
        const filter = {
          api: (api || undefined) as ApiId | undefined,
          environment: (environment || undefined) as Environment | undefined,
          owner: owner || undefined,
          state: keyStateOf(state),
        };
        const { items, nextPageToken } = await listKeys(parts, filter, { size: pageSize, token: pageToken });
        return create(rpc.ListKeysResponseSchema, { keys: items.map(keyToMessage), nextPageToken });
      },
      async updateKey({ key, updateMask }) {
        const asked = given(key, "key");
        const updated = await updateKey(parts, asked, keyPatchOf(asked, updateMask));
        return create(rpc.UpdateKeyResponseSchema, { key: keyToMessage(updated) });
      },
      async rotateKey({ keyId, etag, grace, requestId }) {
        const graceMs = grace === undefined ? 0 : durationMilliseconds(grace, "grace");
        const issued = await rotateKey(parts, { keyId, etag }, graceMs, requestId);
        return create(rpc.RotateKeyResponseSchema, issuedToMessage(issued));
      },
      async revokeKey(reference) {
        return create(rpc.RevokeKeyResponseSchema, { key: keyToMessage(await revokeKey(parts, reference)) });
      },
      async disableKey(reference) {
        return create(rpc.DisableKeyResponseSchema, {
          key: keyToMessage(await disableKey(parts, reference)),
        });
      },
      async enableKey(reference) {
        return create(rpc.EnableKeyResponseSchema, { key: keyToMessage(await enableKey(parts, reference)) });
      },
    },
    onInternalError,
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
