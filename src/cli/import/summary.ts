import type { Session } from "../client-command.ts";
import type { ExitName } from "../exit-code.ts";
import { safeText } from "../safe-text.ts";
import { statePath } from "./import-state.ts";
import type { ImportEnd } from "./run-import.ts";

/** What people and scripts are told of an import. */
export interface Ended extends ImportEnd {
  readonly api: string;
  readonly environment: string;
  readonly dryRun: boolean;
  readonly isInterrupted: boolean;
  /** Beside which the state is; undefined: none is kept. */
  readonly resumable: string | undefined;
  readonly seconds: number;
}

/** Says how it ended, and what to do next if it is not whole. */
export async function tellEnd(session: Session, ended: Ended): Promise<ExitName> {
  const { settings, print, tell, paint } = session;
  const { rows, counts } = ended.state;
  const isWhole = ended.error === undefined && !ended.isInterrupted;
  if (settings.json) {
    const { dryRun } = ended;
    await print(`${JSON.stringify({ rows, ...counts, dryRun, complete: isWhole })}\n`);
  } else {
    await print(`${paint(isWhole ? "green" : "yellow", isWhole ? "✓" : "!")} ${sentence(ended)}\n`);
  }
  if (!isWhole) await tell(`${howToGoOn(ended)}\n`);
  if (ended.error !== undefined) throw ended.error;
  if (ended.isInterrupted) return "interrupted";
  return counts.refused > 0 ? "partial" : "ok";
}

function sentence({ state, api, environment, dryRun, seconds }: Ended): string {
  const { imported, alreadyThere, refused } = state.counts;
  const where = safeText(environment === "" ? api : `${api}/${environment}`);
  const number = (count: number) => count.toLocaleString("en");
  const keys = `${number(imported)} ${imported === 1 ? "key" : "keys"}`;
  const parts = [
    dryRun
      ? `Would import ${keys} into ${where}`
      : `Imported ${keys} into ${where} in ${seconds.toFixed(1)} s`,
    ...(alreadyThere > 0
      ? [`${number(alreadyThere)} ${alreadyThere === 1 ? "was" : "were"} there already`]
      : []),
    ...(refused > 0 ? [`${number(refused)} ${refused === 1 ? "row was" : "rows were"} refused`] : []),
  ];
  return parts.join("; ");
}

function howToGoOn({ state, dryRun, resumable }: Ended): string {
  if (dryRun) return "Nothing was stored.";
  if (state.rows === 0) return "Nothing was imported: run the command again.";
  const rows = `${state.rows.toLocaleString("en")} rows are done`;
  return resumable === undefined
    ? `${rows}. Run the command again to go on: what is there already is left as it is.`
    : `${rows} (${statePath(resumable)} has that). Run the command again with --resume to go on.`;
}
