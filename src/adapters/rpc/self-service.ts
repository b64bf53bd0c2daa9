import { create } from "@bufbuild/protobuf";
import type { AdminParts } from "../../app/admin-parts.ts";
import { revokeKey } from "../../app/revoke-key.ts";
import type { Key } from "../../domain/key.ts";
import {
  GetOwnKeyResponseSchema,
  RevokeOwnKeyResponseSchema,
  SelfService,
} from "../../gen/keywarden/v1/self_service_pb.ts";
import type { UnaryMethod } from "../../ports/transport.ts";
import { unaryMethods } from "../grpc/service-methods.ts";
import { keyToMessage } from "./key-message.ts";
import { holder, type VerifyOne } from "./required-scope.ts";

/** SelfService: what the holder of a token may do with its key. */
export function selfMethods(
  authority: Omit<AdminParts, "caller">,
  verifyOne: VerifyOne,
  onInternalError: (error: unknown, path: string) => void,
): readonly UnaryMethod[] {
  return unaryMethods<(typeof SelfService)["method"], Awaited<ReturnType<typeof holder>>>(
    SelfService,
    {
      async getOwnKey(_request, { credential }) {
        return create(GetOwnKeyResponseSchema, { key: ownKeyToMessage(credential) });
      },
      async revokeOwnKey(_request, caller) {
        const { actor, requestId, credential } = caller;
        // What bounds what others may do with a key does not bound its holder.
        const parts = { ...authority, caller: { actor, requestId, credential: null } };
        const revoked = await revokeKey(parts, { keyId: credential.id, etag: "" });
        return create(RevokeOwnKeyResponseSchema, { key: ownKeyToMessage(revoked) });
      },
    },
    { contextOf: (call) => holder(call, verifyOne), onInternalError },
  );
}

/** Metadata are the operator's own, and may say what the holder is not to know. */
function ownKeyToMessage(key: Key) {
  return keyToMessage({ ...key, metadata: {} });
}
