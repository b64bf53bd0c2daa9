import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { AuditFindings } from "../../app/audit.ts";
import {
  type Actor,
  AUDIT_ACTIONS,
  type AuditAction,
  type AuditEvent,
  type ChainProblem,
  type EventHash,
} from "../../domain/audit-chain.ts";
import type { AuditCheckpoint } from "../../domain/audit-checkpoint.ts";
import { violation } from "../../domain/field-rules.ts";
import { invalidArgument } from "../../domain/keywarden-error.ts";
import type { Revision } from "../../domain/revision.ts";
import type {
  ListAuditEventsRequest,
  VerifyAuditResponseSchema,
} from "../../gen/keywarden/v1/admin_service_pb.ts";
import {
  type AuditCheckpoint as AuditCheckpointMessage,
  AuditCheckpointSchema,
  AuditEvent_ActorKind,
  type AuditEvent as AuditEventMessage,
  AuditEventSchema,
  AuditProblem_Kind,
} from "../../gen/keywarden/v1/audit_pb.ts";
import type { AuditFilter } from "../../ports/store.ts";
import { millisecondsOf } from "./moments.ts";
import { apiIdOf, filterOf, keyIdOf, recordIdOf } from "./references.ts";

const ACTOR_KINDS: Readonly<Record<Actor["kind"], AuditEvent_ActorKind>> = {
  CREDENTIAL: AuditEvent_ActorKind.CREDENTIAL,
  HOLDER: AuditEvent_ActorKind.HOLDER,
  MACHINE: AuditEvent_ActorKind.MACHINE,
  SYSTEM: AuditEvent_ActorKind.SYSTEM,
};

const PROBLEM_KINDS: Readonly<Record<ChainProblem["kind"], AuditProblem_Kind>> = {
  EDITED: AuditProblem_Kind.EDITED,
  MISSING: AuditProblem_Kind.MISSING,
  TRUNCATED: AuditProblem_Kind.TRUNCATED,
  FORGED: AuditProblem_Kind.FORGED,
  RECORDS: AuditProblem_Kind.RECORDS,
  SCHEMA: AuditProblem_Kind.SCHEMA,
};

const HASH = /^[0-9a-f]{64}$/;
/** 64 bytes. */
const SIGNATURE = /^[A-Za-z0-9+/]{86}==$/;

/** Problems in one response. */
const MOST_PROBLEMS = 1_000;

/** Columns that somebody has edited may hold anything: such an actor has no kind. */
export function auditEventToMessage(event: AuditEvent): AuditEventMessage {
  const { revision, time, action, actor, requestId, recordId, api, before, after, hash } = event;
  return create(AuditEventSchema, {
    revision: BigInt(revision),
    time: timestampFromMs(time),
    action,
    actorKind: ACTOR_KINDS[actor.kind] ?? AuditEvent_ActorKind.UNSPECIFIED,
    actorKeyId: actor.keyId ?? "",
    actorIp: actor.ip,
    requestId,
    recordId,
    api,
    before: before ?? "",
    after: after ?? "",
    hash,
  });
}

/** Throws INVALID_ARGUMENT for times that are none, and for an action that there is not. */
export function auditFilterOf(request: ListAuditEventsRequest): AuditFilter {
  const { api, recordId, actorKeyId, action, fromTime, untilTime } = request;
  return {
    api: filterOf(api, "api", apiIdOf),
    recordId: filterOf(recordId, "record_id", recordIdOf),
    actorKeyId: filterOf(actorKeyId, "actor_key_id", keyIdOf),
    action: actionOf(action),
    from: fromTime && millisecondsOf(fromTime, "from_time"),
    until: untilTime && millisecondsOf(untilTime, "until_time"),
  };
}

export function auditFindingsToMessage({
  events,
  problems,
  next,
  head,
}: AuditFindings): MessageInitShape<typeof VerifyAuditResponseSchema> {
  return {
    events: BigInt(events),
    problems: problems.slice(0, MOST_PROBLEMS).map(({ kind, revision, message }) => ({
      kind: PROBLEM_KINDS[kind],
      revision: BigInt(revision),
      message,
    })),
    nextRevision: BigInt(next ?? 0),
    headRevision: BigInt(head),
  };
}

export function checkpointToMessage(checkpoint: AuditCheckpoint): AuditCheckpointMessage {
  const { revision, hash, time, signature, publicKey } = checkpoint;
  return create(AuditCheckpointSchema, {
    revision: BigInt(revision),
    hash,
    time: timestampFromMs(time),
    signature: Buffer.from(signature).toString("base64"),
    publicKey: Buffer.from(publicKey).toString("base64"),
  });
}

/** Throws INVALID_ARGUMENT. */
export function checkpointOf(checkpoint: AuditCheckpointMessage): Omit<AuditCheckpoint, "publicKey"> {
  const { revision, hash, time, signature } = checkpoint;
  const violations = [
    ...violation("checkpoint.time", time === undefined ? "must be set" : undefined),
    ...violation("checkpoint.hash", HASH.test(hash) ? undefined : "is 64 hexadecimal digits in lower case"),
    ...violation("checkpoint.signature", SIGNATURE.test(signature) ? undefined : "is 64 bytes in base64"),
  ];
  if (time === undefined || violations.length > 0) throw invalidArgument(violations);
  return {
    revision: (revision === 0n ? 0 : revisionOf(revision, "checkpoint.revision")) as Revision,
    hash: hash as EventHash,
    time: millisecondsOf(time, "checkpoint.time"),
    signature: Buffer.from(signature, "base64"),
  };
}

/** An event's number; 0 stands for the first. Throws INVALID_ARGUMENT. */
export function revisionOf(revision: bigint, field: string): Revision {
  const number = Number(revision);
  if (number >= 0 && Number.isSafeInteger(number)) return Math.max(1, number) as Revision;
  throw invalidArgument([{ field, description: "is an event's number: 0 or greater, and below 2^53" }]);
}

function actionOf(action: string): AuditAction | undefined {
  if (action === "") return undefined;
  const known = AUDIT_ACTIONS.find((name) => name === action);
  if (known !== undefined) return known;
  const description = `must be one of ${AUDIT_ACTIONS.join(", ")}`;
  throw invalidArgument([{ field: "action", description }]);
}
