import type { CredentialBinding } from "../../domain/key.ts";
import type { KeywardenError } from "../../domain/keywarden-error.ts";
import { type CertificateCallers, parseCallerFile } from "./caller-file.ts";
import { watchFiles } from "./watched-files.ts";

interface CallerSourceOptions {
  readonly path: string;
  /** Gets how many there are now. */
  readonly onCallersReloaded: (count: number) => void;
  /** Why what the file holds now is not used: what was read before stays in use. */
  readonly onCallersProblem: (error: KeywardenError) => void;
  /** What another thread has read of the file before: used if it can't be now. */
  readonly fallback?: CertificateCallers | undefined;
  /** Milliseconds between two looks at the file. */
  readonly intervalMs?: number;
}

/** Whom a verified client certificate stands for, kept up to date. */
export interface CallerSource {
  readonly callers: CertificateCallers;
  /** Of a certificate's names, the first that the file names decides, in the file's order. Undefined: nobody. */
  callerOf(names: readonly string[]): CredentialBinding | undefined;
  /** Looks at the file no more. */
  close(): void;
}

/**
 * Reads the file of `--tls-callers`, and again when it changes.
 * Without a fallback it throws FAILED_PRECONDITION: TLS_UNREADABLE, TLS_CALLERS_INVALID.
 */
export function openCallerFile(options: CallerSourceOptions): CallerSource {
  const { path, onCallersReloaded, onCallersProblem, fallback, intervalMs } = options;
  const file = { setting: "--tls-callers", path };
  const watched = watchFiles<CertificateCallers>({
    files: [file],
    parse: ([content = ""]) => parseCallerFile(file, content),
    onChanged: (changed) => {
      callers = changed;
      // Connections keep their names' list for life: what one stood for is not what it stands for now.
      known = new WeakMap();
      onCallersReloaded(changed.size);
    },
    onProblem: onCallersProblem,
    fallback,
    ...(intervalMs === undefined ? {} : { intervalMs }),
  });
  let callers = watched.first;
  let known = new WeakMap<readonly string[], { readonly caller: CredentialBinding | undefined }>();
  return {
    get callers() {
      return callers;
    },
    callerOf(names) {
      if (names.length === 0) return undefined;
      const before = known.get(names);
      if (before !== undefined) return before.caller;
      const name = [...callers.keys()].find((mapped) => names.includes(mapped));
      const caller = name === undefined ? undefined : callers.get(name);
      known.set(names, { caller });
      return caller;
    },
    close: watched.close,
  };
}
