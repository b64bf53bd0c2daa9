import type { Command } from "commander";
import { type KnownSecret, sourceText } from "../domain/keyring.ts";
import type { Registration } from "./client-command.ts";
import { examples } from "./examples.ts";
import { secretAction } from "./secret-command.ts";
import { type Column, tablePages } from "./table.ts";

type Row = KnownSecret & { readonly source: string };

const COLUMNS: readonly Column<Row>[] = [
  { title: "KIND", text: ({ kind }) => kind },
  { title: "ID", text: ({ id }) => id },
  {
    title: "STATE",
    text: ({ isCurrent }) => (isCurrent ? "current" : "former"),
    style: (text) => (text === "current" ? "green" : "dim"),
  },
  { title: "SOURCE", text: ({ source }) => source },
];

/** `keywarden secret list`. */
export function addSecretList(parent: Command, registration: Registration): void {
  const command = parent
    .command("list")
    .summary("list the secrets that a server would start with, by id")
    .description(
      "Lists the secrets that a server with the same settings would start with: their ids, never the secrets. " +
        "What is made from then on is made with the current one of each kind.",
    );
  examples(command, [
    ["keywarden secret list --store sqlite:/var/lib/keywarden/keywarden.db", "of this store"],
  ]);
  secretAction(command, registration, async ({ shell, settings, paint, show }) => {
    const listed = await shell.secrets.list(settings);
    const rows: readonly Row[] = listed.map((secret) => ({
      ...secret,
      source: sourceText(secret.kind === "pepper" ? settings.pepper : settings.sealKey),
    }));
    await show(tablePages(COLUMNS, paint)(rows), {
      secrets: rows.map(({ kind, id, isCurrent, source }) => ({ kind, id, current: isCurrent, source })),
    });
    return "ok";
  });
}
