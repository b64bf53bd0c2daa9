import { statSync } from "node:fs";
import { resolve } from "node:path";
import { type Inspection, openInspection } from "../adapters/sqlite/inspection.ts";
import { BUILT_IN_API } from "../domain/api.ts";
import { type Finding, hasErrors, SEVERITIES } from "../domain/finding.ts";
import type { Keyring } from "../domain/keyring.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import type { Examination, OnProgress } from "../domain/store-care.ts";
import type { ServerTlsFiles } from "../settings/tls.ts";
import type { MachineSettings } from "../settings.ts";
import { credentialFindings } from "./doctor-credentials.ts";
import { fileFindings } from "./doctor-files.ts";
import { HOST, type Host, hostFindings } from "./doctor-host.ts";
import { secretFindings, secretStates } from "./doctor-secrets.ts";
import { tlsFindings } from "./doctor-tls.ts";
import { sealedFindings, structureFindings } from "./store-findings.ts";
import { keyringOf } from "./stored-secrets.ts";

interface ExamineOptions {
  /** Compare each index with its table, too. */
  readonly thorough: boolean;
  readonly tlsFiles: ServerTlsFiles;
  readonly onProgress: OnProgress;
}

/** Milliseconds by which the newest record may be ahead of the clock: another process may just have written it. */
const CLOCK_TOLERANCE = 2_000;

/**
 * Looks at everything that an installation needs on its machine, and changes nothing of it; a server may be running. What
 * is wrong is a finding, never a rejection. The worst comes first.
 */
export async function examine(
  settings: MachineSettings,
  { thorough, tlsFiles, onProgress }: ExamineOptions,
  host: Host = HOST,
): Promise<Examination> {
  const findings: Finding[] = [
    ...fileFindings(settings, host.freeBytes),
    ...tlsFindings(tlsFiles, host.now()),
  ];
  const report = (found: readonly Finding[]) => void findings.push(...found);
  const inspection = await attempt(report, () => openInspection(settings.store.file));
  const seen = inspection && (await attempt(report, () => examineStore(inspection)));
  const sqlite = inspection?.sqliteVersion ?? "";
  inspection?.close();
  report(await hostFindings(host, sqlite));
  return {
    findings: SEVERITIES.flatMap((severity) => findings.filter((finding) => finding.severity === severity)),
    store: seen?.store ?? null,
    secrets: seen?.secrets ?? [],
    versions: { node: host.node, sqlite },
  };

  async function examineStore(open: Inspection): Promise<Pick<Examination, "store" | "secrets">> {
    if (open.schemaAge === "older") {
      report([OLDER_SCHEMA]);
      return { store: null, secrets: [] };
    }
    onProgress({ step: "checking the file", done: 0, total: 1, unit: "records" });
    const structure = structureFindings(open, thorough);
    report(structure);
    const keyring = await attempt(report, () => keyringOf(settings, open));
    const secrets = secretStates(open.secretUses(), keyring);
    report(secretFindings(secrets));
    report(clockFindings(open.newestTime(), host.now()));
    const content = open.content();
    let revision = 0;
    if (keyring === undefined) report([NOT_CHECKED]);
    else if (!hasErrors(structure.filter(({ code }) => code === "STORE_CORRUPT"))) {
      revision = await examineRecords(open, keyring);
    }
    const file = resolve(settings.store.file);
    const logBytes = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    return { store: { file, bytes: open.bytes, logBytes, revision, content }, secrets };
  }

  async function examineRecords(open: Inspection, { sealKeys }: Keyring): Promise<number> {
    report(credentialFindings(open.trustedKeys(BUILT_IN_API, sealKeys), host.now()));
    const { findings: found, revision } = await sealedFindings(open, sealKeys, onProgress);
    report(found);
    return revision;
  }
}

const OLDER_SCHEMA: Finding = {
  severity: "warning",
  code: "STORE_OLDER_SCHEMA",
  what: "the store was written by an older version; its records were not looked at",
  next: "Back it up with that version, then start this one's server, which brings it up to date",
};

const NOT_CHECKED: Finding = {
  severity: "warning",
  code: "SEALS_NOT_CHECKED",
  what: "without the secrets, nobody can say whether records and audit are what Keywarden wrote",
  next: "Mend what is said of the secrets, and look again",
};

function clockFindings(newest: number, now: number): readonly Finding[] {
  if (newest <= now + CLOCK_TOLERANCE) return [];
  const what = `the clock is behind: it is ${new Date(now).toISOString()}, and the newest record is of ${new Date(newest).toISOString()}`;
  return [
    {
      severity: "error",
      code: "CLOCK_BEHIND",
      what,
      next: "Set the clock: keys that have expired count again",
    },
  ];
}

/** What the refusal of `look` says becomes a finding. */
async function attempt<Seen>(
  report: (found: readonly Finding[]) => void,
  look: () => Seen | Promise<Seen>,
): Promise<Seen | undefined> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof KeywardenError)) throw error;
    report([
      { severity: "error", code: error.reason, what: error.message, next: "A server would not start" },
    ]);
    return undefined;
  }
}
