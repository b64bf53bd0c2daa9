import { create, type JsonObject, toBinary } from "@bufbuild/protobuf";
import type { Verdict } from "../../app/verification.ts";
import type { Key } from "../../domain/key.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { Status } from "../../domain/status.ts";
import {
  type HeaderValueOption,
  HeaderValueOption_HeaderAppendAction,
  HeaderValueOptionSchema,
} from "../../gen/envoy/config/core/v3/base_pb.ts";
import { type CheckResponse, CheckResponseSchema } from "../../gen/envoy/service/auth/v3/external_auth_pb.ts";
import { type Denial, denialOf } from "../proxy/denial.ts";
import { type Header, normalisedName } from "../proxy/header.ts";
import { identityHeaders, identityNames } from "../proxy/identity.ts";
import { ACCEPT, FORWARDED_FOR, type ProxyOptions } from "../proxy/proxy-options.ts";

/** What came of a Check, and what its request had that the answer depends on. */
export interface CheckAnswer {
  readonly outcome: Verdict | KeywardenError;
  /** The client's header Accept. */
  readonly accept: string;
  /** As what `strayHeaders` gives has found them. */
  readonly strays: readonly string[];
}

/** The key, if it is proven that the request may pass. */
export function allowedKey(outcome: Verdict | KeywardenError): Key | undefined {
  if (outcome instanceof KeywardenError || !outcome.decision.allowed) return undefined;
  return outcome.decision.record?.key;
}

/**
 * Nothing else makes a CheckResponse: an empty one would let the request pass. This denies, unless the outcome is a verdict
 * that allows and has a key. Throws RangeError for one that allows and has none.
 */
export function checkResponse(
  { outcome, accept, strays }: CheckAnswer,
  options: ProxyOptions,
): CheckResponse {
  const dynamicMetadata = metadataOf(outcome);
  const key = allowedKey(outcome);
  if (key === undefined) {
    const { status, headers, body } = denialOf(outcome, accept);
    return create(CheckResponseSchema, {
      status: { code: Status[RPC_STATUS[status]] },
      httpResponse: {
        case: "deniedResponse",
        value: { status: { code: status }, headers: headers.map(overwritten), body },
      },
      dynamicMetadata,
    });
  }
  const { credentialHeader, forwardCredential, identityHeaderPrefix } = options;
  const headers = identityHeaders(key, identityHeaderPrefix);
  const removed = forwardCredential ? strays : [credentialHeader, ...strays];
  return create(CheckResponseSchema, {
    status: { code: Status.OK },
    httpResponse: {
      case: "okResponse",
      // Envoy removes after it has set: what is set must not be among what is removed.
      value: {
        headers: headers.map(overwritten),
        headersToRemove: removed.filter((name) => !headers.some(([set]) => set === name)),
      },
    },
    dynamicMetadata,
  });
}

const RPC_STATUS: Readonly<Record<Denial["status"], keyof typeof Status>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  429: "RESOURCE_EXHAUSTED",
  503: "UNAVAILABLE",
};

/**
 * What finds those headers of a request, by their names in lower case, which what is behind the proxy may take for one that
 * says whose key it was, or for the credential. The credential's own is not among them: whether it goes on is a setting.
 */
export function strayHeaders({ credentialHeader, identityHeaderPrefix }: ProxyOptions) {
  const ours = new Set([...identityNames(identityHeaderPrefix), credentialHeader].map(normalisedName));
  // Nearly every request has these, and no others that are looked at.
  const usual = new Set([credentialHeader, FORWARDED_FOR, ACCEPT]);
  return (headers: ReadonlyMap<string, unknown>): readonly string[] => {
    let strays: string[] | undefined;
    for (const name of headers.keys()) {
      if (usual.has(name) || !ours.has(normalisedName(name))) continue;
      strays ??= [];
      strays.push(name);
    }
    return strays ?? NONE;
  };
}

const NONE: readonly string[] = [];

/** In place of all that the client has sent under this name. */
function overwritten([key, value]: Header): HeaderValueOption {
  return create(HeaderValueOptionSchema, {
    header: { key, value },
    append: false,
    appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
  });
}

/** For access logs and rate limits of the proxy: nothing of it goes to the client. The revision comes last. */
function metadataOf(outcome: Verdict | KeywardenError): JsonObject {
  if (outcome instanceof KeywardenError) return { reason: outcome.reason };
  const { decision, revision } = outcome;
  const key = decision.record?.key;
  return {
    ...(key && { key_id: key.id, owner: key.owner, api: key.api }),
    reason: decision.reason,
    revision,
  };
}

/** The bytes of the message. */
export function checkResponseBytes(answer: CheckAnswer, options: ProxyOptions): Uint8Array {
  return toBinary(CheckResponseSchema, checkResponse(answer, options));
}
