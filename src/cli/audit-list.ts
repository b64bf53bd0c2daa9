import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Command } from "commander";
import { ListAuditEventsResponseSchema } from "../gen/keywarden/v1/admin_service_pb.ts";
import { type AuditEvent, AuditEvent_ActorKind } from "../gen/keywarden/v1/audit_pb.ts";
import { callAdmin } from "./call.ts";
import { clientAction, type Registration } from "./client-command.ts";
import { examples } from "./examples.ts";
import { asInstant } from "./option-values.ts";
import { addPaging, type PagingOptions, printPages } from "./paging.ts";
import { shorten } from "./safe-text.ts";
import type { Column } from "./table.ts";
import { relativeTime } from "./time-text.ts";

interface ListOptions extends PagingOptions {
  readonly api?: string;
  readonly record?: string;
  readonly actor?: string;
  readonly action?: string;
  readonly from?: Timestamp;
  readonly until?: Timestamp;
}

/** `keywarden audit list`. */
export function addAuditList(parent: Command, registration: Registration): void {
  const command = parent
    .command("list")
    .summary("list what was changed, by whom, the newest first")
    .description(
      "Lists what was changed, by whom and from where, the newest first; --json says before and after.",
    )
    .option("--api <id>", "changes of this API and its keys")
    .option("--record <id>", "changes of this key or API")
    .option("--actor <key id>", "changes by this credential or key")
    .option("--action <name>", "changes by this call, such as RevokeKey")
    .option("--from <time>", "at this time or later", asInstant)
    .option("--until <time>", "before this time", asInstant);
  addPaging(command);
  examples(command, [
    ["keywarden audit list --action RevokeKey", "who revoked what"],
    ["keywarden audit list --all --json > audit.jsonl", "all of it, for another system"],
  ]);
  clientAction(command, registration, async (session) => {
    const {
      api = "",
      record = "",
      actor = "",
      action = "",
      from,
      until,
      ...paging
    } = command.opts<ListOptions>();
    const filter = {
      api,
      recordId: record,
      actorKeyId: actor,
      action,
      ...(from === undefined ? {} : { fromTime: from }),
      ...(until === undefined ? {} : { untilTime: until }),
    };
    await callAdmin(session.settings, (client) =>
      printPages(session, paging, {
        schema: ListAuditEventsResponseSchema,
        columns: eventColumns(session.shell.now()),
        empty: "no changes",
        page: (place) => client.listAuditEvents({ ...filter, ...place }),
        rows: ({ events }) => events,
        id: ({ revision }) => String(revision),
      }),
    );
    return "ok";
  });
}

function eventColumns(now: number): readonly Column<AuditEvent>[] {
  return [
    { title: "NO.", text: ({ revision }) => String(revision) },
    { title: "WHEN", text: ({ time }) => (time === undefined ? "-" : relativeTime(timestampMs(time), now)) },
    { title: "WHAT", text: ({ action }) => action },
    { title: "OF", text: ({ recordId }) => recordId },
    { title: "BY", text: actorText },
    { title: "FROM", text: ({ actorIp }) => actorIp || "-" },
    { title: "CHANGED", text: ({ after }) => shorten(fieldNames(after), 48) },
  ];
}

function actorText({ actorKind, actorKeyId }: AuditEvent): string {
  switch (actorKind) {
    case AuditEvent_ActorKind.CREDENTIAL:
      return actorKeyId;
    case AuditEvent_ActorKind.HOLDER:
      return "its holder";
    case AuditEvent_ActorKind.MACHINE:
      return "the server's machine";
    case AuditEvent_ActorKind.SYSTEM:
      return "keywarden";
    default:
      return "unknown";
  }
}

/** Of the JSON object that an event holds; whatever somebody has made of it. */
function fieldNames(json: string): string {
  try {
    const fields: unknown = JSON.parse(json || "{}");
    return typeof fields === "object" && fields !== null ? Object.keys(fields).join(" ") : "";
  } catch {
    return "unreadable";
  }
}
