import { once } from "node:events";
import type { KnownSecret, SecretKind, SecretSources, SecretUse } from "../domain/keyring.ts";
import type { AdminReset, Examination, OnProgress, Restoration, StoreCopy } from "../domain/store-care.ts";
import type { Variables } from "../settings/read.ts";
import type { ServerTlsFiles } from "../settings/tls.ts";
import type { MachineSettings, ServeSettings } from "../settings.ts";

type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** Secrets where they come from; no store is touched. Each rejects with a KeywardenError, and then nothing is changed. */
interface SecretChanges {
  /** The secrets of all kinds, the current one of each first. */
  list(sources: SecretSources): Promise<readonly KnownSecret[]>;
  /** Puts a new one first in a file; gives all that the file then has. */
  rotate(kind: SecretKind, path: string): Promise<readonly KnownSecret[]>;
  /** Takes one that is not the first out of a file; gives all that the file then has. */
  forget(kind: SecretKind, path: string, id: string): Promise<readonly KnownSecret[]>;
}

/** A store on this machine, without a server. Each rejects with a KeywardenError, and then nothing is changed. */
interface StoreCare {
  backUp(
    settings: MachineSettings,
    file: string,
    options: { readonly overwrite: boolean; readonly onProgress: OnProgress },
  ): Promise<StoreCopy>;
  /** Refused while a server runs. */
  restore(
    settings: MachineSettings,
    file: string,
    options: { readonly replace: boolean; readonly now: number; readonly onProgress: OnProgress },
  ): Promise<Restoration>;
  examine(
    settings: MachineSettings,
    options: {
      readonly thorough: boolean;
      readonly tlsFiles: ServerTlsFiles;
      readonly onProgress: OnProgress;
    },
  ): Promise<Examination>;
  /** Refused while a server runs. */
  resetAdministrator(settings: MachineSettings, now: () => number): Promise<AdminReset>;
}

/** What the command line runs in. */
export interface Shell {
  readonly variables: Variables;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs a server until it has stopped; resolves with its exit code. */
  serve(settings: ServeSettings): Promise<number>;
  /** Calls `act` at Ctrl-C or SIGTERM, maybe twice, in place of ending; a later one ends at once. Gives what takes that back. */
  onInterrupt(act: () => void): () => void;
  readonly secrets: SecretChanges;
  /**
   * How much of the store was made with each secret; one that has made nothing any more may be there or not. Rejects
   * with a KeywardenError if the store is not there or can't be read; a server may be running.
   */
  usedSecrets(settings: MachineSettings): Promise<readonly SecretUse[]>;
  readonly storeCare: StoreCare;
}

/** Writes and waits until the stream wants more, so that a long output does not pile up in memory. */
export async function write(stream: Output, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, "drain");
}
