import { type Command, InvalidArgumentError, Option } from "commander";
import { callAdmin } from "./call.ts";
import { clientAction, type Registration } from "./client-command.ts";
import { examples } from "./examples.ts";
import { MOST_REMEMBERED } from "./import/dry-run-memory.ts";
import { IMPORT_FIELDS, isImportField, type Mapped } from "./import/fields.ts";
import type { ImportOptions } from "./import/import-keys.ts";
import { INPUT_FORMATS } from "./import/input-format.ts";
import { PRESET_NAMES } from "./import/presets.ts";
import { HASH_FORMATS } from "./import/token-hash.ts";
import { asChoice, asDuration, asInstant, asLabel, asRateLimit, asText, repeated } from "./option-values.ts";

function asMapped(text: string): Mapped {
  const at = text.lastIndexOf("=");
  const field = text.slice(at + 1);
  if (at >= 1 && isImportField(field)) return { column: text.slice(0, at), field };
  throw new InvalidArgumentError("Write column=field, with one of the fields below.");
}

/** What a row gets that says nothing of the kind. */
function addDefaults(command: Command): void {
  const added = [
    new Option("--owner <name>", "whose key it is"),
    new Option("--name <text>", "its name for people"),
    new Option("--scope <grant>", "a scope it is granted (repeatable)").argParser(repeated(asText)),
    new Option("--allow-cidr <network>", "where it may be used from (repeatable)").argParser(
      repeated(asText),
    ),
    new Option("--rate-limit <limit>", "such as default=100/1m (repeatable)").argParser(
      repeated(asRateLimit),
    ),
    new Option("--metadata <name=value>", "a label, beside those of the row (repeatable)").argParser(
      repeated(asLabel),
    ),
    new Option("--expires-in <duration>", "when it ends, from now: 90d, 24h, 30m").argParser(asDuration),
    new Option("--expires-at <time>", "when it ends: 2027-01-31T09:00:00Z").argParser(asInstant),
  ];
  for (const option of added) command.addOption(option.helpGroup("Where a row does not say:"));
}

/** `keywarden key import`. */
export function addKeyImport(parent: Command, registration: Registration): void {
  const command = parent
    .command("import")
    .summary("import keys that were issued elsewhere")
    .argument("<file>", "CSV with a heading, or JSON lines; - reads standard input")
    .description(
      "Imports keys that were issued elsewhere, so that their tokens go on working. Only the SHA-256 of a token is sent: " +
        "a file has that, or the token itself, which is hashed while it is read. A row whose token is there already " +
        "changes nothing, so the command may be repeated.",
    )
    .requiredOption("--api <id>", "the API that they will belong to")
    .option("--environment <name>", "one of the API's environments; may be left out if it has only one")
    .option(
      "--from <system>",
      `what the columns are called and how tokens are hashed: ${PRESET_NAMES.join(", ")} (names as below)`,
      asChoice(PRESET_NAMES),
      "generic",
    )
    .option(
      "--hash <format>",
      `what the column of tokens holds: ${HASH_FORMATS.join(", ")}`,
      asChoice(HASH_FORMATS),
    )
    .option(
      "--map <column=field>",
      "takes a column as a field (repeatable); of JSON lines, one of the first 1,000 has to have it",
      repeated(asMapped),
    )
    .option(
      "--format <format>",
      `how the file is written: ${INPUT_FORMATS.join(", ")}`,
      asChoice(INPUT_FORMATS),
      "auto",
    )
    .option(
      "--native-tokens",
      "the hashed tokens have Keywarden's own shape: they come from another Keywarden",
    )
    .option(
      "--dry-run",
      `only say what would become of the rows; tokens that are twice in a file are seen among the first ` +
        `${MOST_REMEMBERED.toLocaleString("en")}`,
    )
    .option("--resume", "go on where an import of this file was interrupted")
    .option("--errors <file>", "write a line for each refused row there, in place of showing the first ones");
  addDefaults(command);
  const fields = Object.entries(IMPORT_FIELDS).map(([field, meaning]) => `  ${field.padEnd(20)} ${meaning}`);
  command.addHelpText("after", `\nFields:\n${fields.join("\n")}`);
  examples(command, [
    [
      "keywarden key import keys.csv --api c2p --environment live --from unkey --dry-run",
      "see what would be refused",
    ],
    [
      "keywarden key import keys.csv --api c2p --environment live --from unkey",
      "the keys of an Unkey export",
    ],
    [
      "keywarden key import keys.csv --api c2p --environment live --hash sha256-hex \\\n" +
        "      --map key_hash=token --map customer=owner --scope orders:read --errors refused.txt",
      "those of a table of your own",
    ],
  ]);
  clientAction(command, registration, async (session, file) => {
    // Every other command starts sooner without what reads files and draws progress.
    const { importKeys } = await import("./import/import-keys.ts");
    return callAdmin(session.settings, (client) =>
      importKeys(session, client, command.opts<ImportOptions>(), file),
    );
  });
}
