import type { Command } from "commander";
import { type Finding, hasErrors, SEVERITIES, type Severity } from "../domain/finding.ts";
import type { Examination } from "../domain/store-care.ts";
import type { GivenFlags, Variables } from "../settings/read.ts";
import { settingsFindings } from "../settings/settings-findings.ts";
import { type ServerTlsFiles, serverTlsFiles } from "../settings/tls.ts";
import { MACHINE_SETTINGS, readMachineSettings, SERVE_SETTINGS } from "../settings.ts";
import type { Registration } from "./client-command.ts";
import { examples } from "./examples.ts";
import { createPaint, type Paint } from "./paint.ts";
import { progressLine } from "./progress-line.ts";
import { safeJson, safeText } from "./safe-text.ts";
import { addSettings } from "./setting-options.ts";
import { write } from "./shell.ts";
import { counted, megabytes } from "./size-text.ts";
import { contentText } from "./store-copy-text.ts";
import { type Fact, facts } from "./table.ts";

interface DoctorOptions {
  readonly thorough?: true;
}

/** Those of a server, and how to print. */
const DOCTOR_SETTINGS = [
  ...SERVE_SETTINGS,
  ...MACHINE_SETTINGS.filter(({ name }) => !SERVE_SETTINGS.some((setting) => setting.name === name)),
];

const COLOURS: Readonly<Record<Severity, Parameters<Paint>[0]>> = {
  error: ["bold", "red"],
  warning: "yellow",
  note: "cyan",
};

/** `keywarden doctor`. */
export function addDoctor(program: Command, { shell, finish }: Registration): void {
  const command = program
    .command("doctor")
    .summary("look for what is wrong with an installation, on its machine")
    .description(
      "Looks at settings, files, secrets, every record's seal, the audit, the clock and versions, and says what to do " +
        "about each finding. It changes nothing, and the server may be running. Give it the server's own settings.",
    )
    .option("--thorough", "compare each index of the database with its table, too");
  const flags = addSettings(command, "Settings of the server, and output:", DOCTOR_SETTINGS);
  examples(command, [
    ["keywarden doctor", "of the store in ./data"],
    ["keywarden doctor --json | jq '.findings[] | select(.severity == \"error\")'", "for a program"],
  ]);
  command.action(async () => {
    const given = flags();
    const settings = readMachineSettings(given, ownVariables(shell.variables));
    const progress = progressLine(shell);
    const examination = await shell.storeCare
      .examine(settings, {
        thorough: command.opts<DoctorOptions>().thorough ?? false,
        tlsFiles: tlsFiles(given, shell.variables),
        onProgress: progress.show,
      })
      .finally(() => progress.end());
    const found = bySeverity([
      ...settingsFindings(serverFlags(given), shell.variables),
      ...examination.findings,
    ]);
    const text = settings.json
      ? `${safeJson(JSON.stringify({ ...examination, findings: found }, undefined, 2))}\n`
      : examinationText(examination, found, createPaint(shell.stdout, settings.noColor));
    await write(shell.stdout, text);
    finish(hasErrors(found) ? "denied" : "ok");
  });
}

/** An unknown variable is a finding here, and must not be the end. */
function ownVariables(variables: Variables): Variables {
  const names = new Set(MACHINE_SETTINGS.map(({ variable }) => variable));
  return Object.fromEntries(Object.entries(variables).filter(([name]) => names.has(name)));
}

function serverFlags(given: GivenFlags): GivenFlags {
  const names = new Set(SERVE_SETTINGS.map(({ name }) => name));
  return Object.fromEntries(Object.entries(given).filter(([name]) => names.has(name)));
}

/** As they were given, also where a server refuses another setting: all that is wrong is told at once. */
function tlsFiles(given: GivenFlags, variables: Variables): ServerTlsFiles {
  return serverTlsFiles(
    Object.fromEntries(
      SERVE_SETTINGS.map(({ name, variable }) => [name, given[name] ?? variables[variable]]),
    ),
  );
}

function bySeverity(findings: readonly Finding[]): readonly Finding[] {
  return SEVERITIES.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
}

function examinationText(examination: Examination, found: readonly Finding[], paint: Paint): string {
  const lines = found.map(
    ({ severity, code, what, next }) =>
      `${paint(COLOURS[severity], severity)}${" ".repeat(9 - severity.length)}${code}: ${safeText(what)}. ${paint("dim", `${safeText(next)}.`)}`,
  );
  const totals = SEVERITIES.map((severity) =>
    counted(found.filter((finding) => finding.severity === severity).length, severity),
  );
  return [facts(examinationFacts(examination), paint), ...lines, `${totals.join(", ")}`, ""].join("\n");
}

function examinationFacts({ store, secrets, versions }: Examination): readonly Fact[] {
  return [
    ["Store", store?.file ?? ""],
    ["Size", store === null ? "" : `${megabytes(store.bytes)}, and ${megabytes(store.logBytes)} of log`],
    ["Holds", store === null ? "" : contentText(store.content)],
    ["Revision", store === null || store.revision === 0 ? "" : String(store.revision)],
    [
      "Secrets",
      secrets.map(
        ({ kind, id, records, state }) =>
          `${kind} ${id} (${state}): ${counted(records, kind === "pepper" ? "token" : "record")}`,
      ),
    ],
    ["Versions", `Node.js ${versions.node}${versions.sqlite === "" ? "" : `, SQLite ${versions.sqlite}`}`],
  ];
}
