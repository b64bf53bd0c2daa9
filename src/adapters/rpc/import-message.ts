import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Import, ImportKeysInput } from "../../app/import-keys.ts";
import type { ImportCandidate, ImportOutcome } from "../../app/import-plan.ts";
import type { ImportedKey } from "../../domain/import-rules.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import {
  type BatchImportKeysRequest,
  type BatchImportKeysResponse,
  BatchImportKeysResponseSchema,
  type ImportedKey as ImportedKeyMessage,
  ImportOutcome_Kind,
  type ImportOutcomeSchema,
} from "../../gen/keywarden/v1/import_pb.ts";
import { millisecondsOf } from "./moments.ts";
import { rateLimitsOf } from "./rate-limit-message.ts";

export function importKeysInputOf(request: BatchImportKeysRequest): ImportKeysInput {
  const { api, environment, keys, dryRun, requestId } = request;
  return { api, environment, candidates: keys.map(candidateOf), dryRun, requestId };
}

/** What no key can have is a violation of that key: the others of the request are imported. */
function candidateOf(message: ImportedKeyMessage): ImportCandidate {
  try {
    return { imported: importedKeyOf(message) };
  } catch (error) {
    if (error instanceof KeywardenError && error.violations.length > 0)
      return { violations: error.violations };
    throw error;
  }
}

/** Throws INVALID_ARGUMENT for times and durations that are none. */
function importedKeyOf(message: ImportedKeyMessage): ImportedKey {
  const { token, tokenStart, tokenEnd, nativeToken, disabled, expireTime, createTime } = message;
  const { owner, displayName, scopes, allowedCidrs, rateLimits, metadata } = message;
  return {
    tokenSha256: token.case === "tokenSha256" ? token.value : new Uint8Array(),
    tokenStart,
    tokenEnd,
    isNative: nativeToken,
    owner,
    displayName,
    scopes,
    allowedCidrs,
    rateLimits: rateLimitsOf(rateLimits, "key.rate_limits"),
    metadata,
    state: disabled ? "DISABLED" : "ACTIVE",
    expireTime: expireTime === undefined ? null : millisecondsOf(expireTime, "key.expire_time"),
    createTime: createTime === undefined ? null : millisecondsOf(createTime, "key.create_time"),
  };
}

const KINDS = {
  imported: ImportOutcome_Kind.IMPORTED,
  "already-there": ImportOutcome_Kind.ALREADY_THERE,
  refused: ImportOutcome_Kind.REFUSED,
} as const satisfies Record<ImportOutcome["kind"], ImportOutcome_Kind>;

export function importToMessage({ outcomes, importId }: Import): BatchImportKeysResponse {
  return create(BatchImportKeysResponseSchema, { outcomes: outcomes.map(outcomeToMessage), importId });
}

function outcomeToMessage(outcome: ImportOutcome): MessageInitShape<typeof ImportOutcomeSchema> {
  const kind = KINDS[outcome.kind];
  return outcome.kind === "refused"
    ? { kind, violations: [...outcome.violations] }
    : { kind, keyId: outcome.keyId ?? "" };
}
