import type { Key } from "../gen/keywarden/v1/key_pb.ts";
import type { Session } from "./client-command.ts";
import type { ExitName } from "./exit-code.ts";
import { keyFacts, keyTitle } from "./key-text.ts";
import { safeText } from "./safe-text.ts";
import { facts } from "./table.ts";

/** What CreateKey and RotateKey answer. */
interface Issued {
  readonly key?: Key | undefined;
  readonly token: string;
  readonly replayed: boolean;
}

/**
 * Shows a new token, once: into a pipe nothing but the token, so that `TOKEN=$(keywarden key create …)` works; on a
 * terminal between rules. All else goes to standard error. Without a token, as on a replay, the outcome is `refused`.
 */
export async function showIssued(
  session: Session,
  { key, token, replayed }: Issued,
  done: string,
): Promise<ExitName> {
  const { shell, paint, paintError } = session;
  if (key !== undefined) {
    await session.tell(`${paintError("green", "✓")} ${done} ${safeText(keyTitle(key))}\n`);
    await session.tell(`${facts(keyFacts(key, shell.now()), paintError)}\n`);
  }
  if (replayed || token === "") {
    await session.tell("This request was served before, and a token is shown only once.\n");
    await session.tell(`If it is lost, make a new one: keywarden key rotate ${key?.keyId ?? "ID"}\n`);
    return "refused";
  }
  if (shell.stdout.isTTY !== true) {
    await session.print(`${token}\n`);
    return "ok";
  }
  const rule = paint("dim", "─".repeat(token.length));
  await session.print(`${rule}\n${paint("bold", token)}\n${rule}\n`);
  await session.tell(`${paintError("yellow", "Store it now: it is not shown again.")}\n`);
  return "ok";
}
