import { EXIT_CODES } from "../src/cli/exit-code.ts";
import type { Setting } from "../src/settings/table.ts";
import { CLIENT_SETTINGS, SERVE_SETTINGS } from "../src/settings.ts";
import { markdownTable } from "./markdown-table.ts";

function settingRow({
  flag,
  variable,
  value,
  unset,
  default: standard,
  summary,
}: Setting): readonly string[] {
  const given = flag === undefined ? "" : `\`${value === undefined ? flag : `${flag} <${value}>`}\``;
  return [given, `\`${variable}\``, unset ?? `\`${standard}\``, summary];
}

const HEAD = ["flag", "variable", "default", "what it is"];

/** docs/reference/settings.md, made from the tables that the command line itself is made from. */
export function settingsPage(): string {
  return `<!-- Made by \`npm run generate\` from src/settings.ts and src/cli/exit-code.ts. -->
# Settings

A flag wins over its variable. A switch, which has no value, is \`true\` or \`false\` as a variable. A duration is a whole
number and a unit: \`90d\`, \`24h\`, \`30m\`, \`10s\` or \`500ms\`. An unknown flag or KEYWARDEN_ variable, a value that cannot
be read, and settings that contradict each other end the command with exit code 2 before it does anything.

## keywarden serve

${markdownTable(HEAD, SERVE_SETTINGS.map(settingRow))}

\`keywarden secret\`, \`backup\`, \`restore\` and \`admin reset\` work on the server's own machine and take \`--store\`, \`--pepper\`
and \`--seal-key\` as well, with \`--json\` and \`--no-color\`; \`keywarden doctor\` takes all of these, and looks at them.

## Every other command

${markdownTable(HEAD, CLIENT_SETTINGS.map(settingRow))}

## Exit codes

${markdownTable(
  ["code", "meaning"],
  Object.values(EXIT_CODES).map(({ code, meaning }) => [String(code), meaning]),
)}
`;
}
