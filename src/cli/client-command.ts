import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { createRegistry, toJson } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { file_keywarden_v1_admin_service } from "../gen/keywarden/v1/admin_service_pb.ts";
import { file_keywarden_v1_self_service } from "../gen/keywarden/v1/self_service_pb.ts";
import { file_keywarden_v1_verify_service } from "../gen/keywarden/v1/verify_service_pb.ts";
import type { Setting } from "../settings/table.ts";
import { ADMIN_SETTINGS, type ClientSettings, readClientSettings } from "../settings.ts";
import type { ExitName } from "./exit-code.ts";
import { createPaint, type Paint } from "./paint.ts";
import { safeJson } from "./safe-text.ts";
import { addSettings } from "./setting-options.ts";
import { type Shell, write } from "./shell.ts";

/** What a command that calls a server works with. */
export interface Session {
  readonly shell: Shell;
  readonly settings: ClientSettings;
  /** Colours for standard output and standard error. */
  readonly paint: Paint;
  readonly paintError: Paint;
  /** To standard output. */
  print(text: string): Promise<void>;
  /** To standard error: what must not get into a pipe. */
  tell(text: string): Promise<void>;
}

/** How commands are put into a program. */
export interface Registration {
  readonly shell: Shell;
  /** Takes a command's outcome. */
  finish(exit: ExitName): void;
}

const registry = createRegistry(
  file_keywarden_v1_admin_service,
  file_keywarden_v1_self_service,
  file_keywarden_v1_verify_service,
);

/** A response as protobuf JSON; `indent: 0` gives one line. */
export function responseJson<Schema extends DescMessage>(
  schema: Schema,
  message: MessageShape<Schema>,
  indent = 2,
): string {
  return `${safeJson(JSON.stringify(toJson(schema, message, { registry }), undefined, indent))}\n`;
}

function openSession(shell: Shell, settings: ClientSettings): Session {
  return {
    shell,
    settings,
    paint: createPaint(shell.stdout, settings.noColor),
    paintError: createPaint(shell.stderr, settings.noColor),
    print: (text) => write(shell.stdout, text),
    tell: (text) => write(shell.stderr, text),
  };
}

/**
 * Makes a command one that calls a server: gives it the connection's options, and runs `action` with them read.
 * `argument` is the command's only argument, empty if it takes none.
 */
export function clientAction(
  command: Command,
  { shell, finish }: Registration,
  action: (session: Session, argument: string) => Promise<ExitName>,
  settings: readonly Setting[] = ADMIN_SETTINGS,
): void {
  const flags = addSettings(command, "Connection and output:", settings);
  command.action(async () => {
    const session = openSession(shell, readClientSettings(flags(), shell.variables));
    finish(await action(session, command.args[0] ?? ""));
  });
}
