import { type Duration, durationMs, type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Command } from "commander";
import { GetKeyResponseSchema, ListKeysResponseSchema } from "../gen/keywarden/v1/admin_service_pb.ts";
import { Key_State } from "../gen/keywarden/v1/key_pb.ts";
import { callAdmin } from "./call.ts";
import { clientAction, type Registration, responseJson } from "./client-command.ts";
import { examples } from "./examples.ts";
import { usage } from "./failure.ts";
import { keyColumns, keyFacts } from "./key-text.ts";
import { asChoice, asDuration, asInstant } from "./option-values.ts";
import { addPaging, type PagingOptions, printPages } from "./paging.ts";
import { facts } from "./table.ts";

const STATES = {
  active: Key_State.ACTIVE,
  disabled: Key_State.DISABLED,
  revoked: Key_State.REVOKED,
} as const;

interface ListOptions extends PagingOptions {
  readonly api?: string;
  readonly environment?: string;
  readonly owner?: string;
  readonly state?: keyof typeof STATES;
  readonly expiringBefore?: Timestamp;
  readonly expiringIn?: Duration;
  readonly scope?: string;
  readonly prefix?: string;
  readonly unusedFor?: Duration;
}

/** `keywarden key get`. */
export function addKeyGet(parent: Command, registration: Registration): void {
  const command = parent.command("get").summary("show a key").argument("<id>", "the key's id");
  command.description("Shows everything about a key but its token, which nobody can show again.");
  examples(command, [["keywarden key get 0190a4b2-5c1e-7d3a-9f00-3b1c2d4e5f60", "one key"]]);
  clientAction(command, registration, async ({ settings, shell, paint, print }, keyId) => {
    const response = await callAdmin(settings, (client) => client.getKey({ keyId }));
    if (settings.json) await print(responseJson(GetKeyResponseSchema, response));
    else if (response.key !== undefined) await print(facts(keyFacts(response.key, shell.now()), paint));
    return "ok";
  });
}

/** `keywarden key list`. */
export function addKeyList(parent: Command, registration: Registration): void {
  const command = parent
    .command("list")
    .summary("list keys, in the order in which they came")
    .description(
      "Lists keys in the order in which they were created or imported here: one page, or with --all every page.",
    )
    .option("--api <id>", "keys of this API")
    .option("--environment <name>", "keys of this environment")
    .option("--owner <name>", "keys of this owner")
    .option(
      "--state <state>",
      "keys that are active, disabled or revoked",
      asChoice(["active", "disabled", "revoked"]),
    );
  command
    .option("--expiring-in <duration>", "keys that end within this time, or have ended: 30d", asDuration)
    .option("--expiring-before <time>", "keys that end before this time, or have ended", asInstant)
    .option("--scope <scope>", "keys that have this scope, by itself or by a wildcard")
    .option(
      "--unused-for <duration>",
      "keys that were here before, and were not allowed for so long: 90d",
      asDuration,
    )
    .option("--prefix <text>", "keys whose name, or whose token's readable part, begins with this");
  addPaging(command);
  examples(command, [
    ["keywarden key list --api c2p --owner acct_42", "the keys of one customer"],
    ["keywarden key list --api c2p --state active --expiring-in 30d", "keys that end within a month"],
    ["keywarden key list --all --quiet", "every key's id"],
  ]);
  clientAction(command, registration, async (session) => {
    const { api = "", environment = "", owner = "", state, ...rest } = command.opts<ListOptions>();
    const { scope = "", prefix = "", expiringBefore, expiringIn, unusedFor, ...paging } = rest;
    if (expiringBefore !== undefined && expiringIn !== undefined) {
      throw usage("--expiring-in and --expiring-before: give one of them");
    }
    const end =
      expiringIn === undefined
        ? expiringBefore
        : timestampFromMs(session.shell.now() + durationMs(expiringIn));
    const filter = {
      api,
      environment,
      owner,
      scope,
      prefix,
      ...(end === undefined ? {} : { expiringBefore: end }),
      ...(unusedFor === undefined
        ? {}
        : { unusedSince: timestampFromMs(session.shell.now() - durationMs(unusedFor)) }),
      state: state === undefined ? Key_State.UNSPECIFIED : STATES[state],
    };
    await callAdmin(session.settings, (client) =>
      printPages(session, paging, {
        schema: ListKeysResponseSchema,
        columns: keyColumns(session.shell.now()),
        empty: "no keys",
        page: (place) => client.listKeys({ ...filter, ...place }),
        rows: ({ keys }) => keys,
        id: ({ keyId }) => keyId,
      }),
    );
    return "ok";
  });
}
