import { create } from "@bufbuild/protobuf";
import { revokeKey } from "../../app/revoke-key.ts";
import type { Key } from "../../domain/key.ts";
import {
  GetOwnKeyResponseSchema,
  RevokeOwnKeyResponseSchema,
  SelfService,
} from "../../gen/keywarden/v1/self_service_pb.ts";
import type { UnaryMethod } from "../../ports/transport.ts";
import { unaryMethods } from "../grpc/service-methods.ts";
import { type AdminServing, admittedCalls, type CalledParts } from "./admitted-calls.ts";
import { keyToMessage } from "./key-message.ts";

/** SelfService: what the holder of a token may do with its key. Throws as `admittedCalls`. */
export function selfMethods(serving: AdminServing): readonly UnaryMethod[] {
  return unaryMethods<(typeof SelfService)["method"], CalledParts>(
    SelfService,
    {
      async getOwnKey(_request, { caller }) {
        return create(GetOwnKeyResponseSchema, { key: ownKeyToMessage(caller.credential) });
      },
      async revokeOwnKey(_request, parts) {
        const { actor, requestId, credential } = parts.caller;
        // What bounds what others may do with a key does not bound its holder.
        const unbound = { ...parts, caller: { actor, requestId, credential: null } };
        const revoked = await revokeKey(unbound, { keyId: credential.id, etag: "" });
        return create(RevokeOwnKeyResponseSchema, { key: ownKeyToMessage(revoked) });
      },
    },
    admittedCalls(SelfService, serving),
  );
}

/** Metadata are the operator's own, and may say what the holder is not to know. */
function ownKeyToMessage(key: Key) {
  return keyToMessage({ ...key, metadata: {} });
}
