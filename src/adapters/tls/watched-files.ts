import { createHash } from "node:crypto";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { type NamedFile, readNamedFile, readNamedFileSync } from "./read-file.ts";
import { tlsRefusal } from "./tls-refusal.ts";

interface WatchedFilesOptions<Value> {
  readonly files: readonly NamedFile[];
  /** Throws for contents that cannot be used: a KeywardenError says why. */
  readonly parse: (contents: readonly string[]) => Value;
  /** Gets each good value that takes the place of another. */
  readonly onChanged: (value: Value) => void;
  /** Gets why what the files hold now is not used: once for each state of the files. */
  readonly onProblem: (error: KeywardenError) => void;
  /** Called each time that the files are looked at. */
  readonly onLook?: () => void;
  /** Used in place of first contents that can't be: what somebody else has read of them before. */
  readonly fallback?: Value | undefined;
  /** Milliseconds between two looks. */
  readonly intervalMs?: number;
}

export interface WatchedFiles<Value> {
  readonly first: Value;
  /** Looks at the files now; resolves when what they hold has been taken, told of, or left to the next look. */
  look(): Promise<void>;
  close(): void;
}

const INTERVAL_MS = 1_000;

/**
 * Reads files that belong together, and reads them again when they change. They are looked at by content, through
 * whatever links lead there: a file that is written in place, renamed over or swapped by a symbolic link (as Kubernetes
 * does) is the same to it, and no network file system has to tell. What has changed must hold still from one look to
 * the next: the pair that is being replaced is not read half way.
 *
 * Without a fallback it throws the KeywardenError that `parse` throws of the first contents, or FAILED_PRECONDITION TLS_UNREADABLE.
 */
export function watchFiles<Value>(options: WatchedFilesOptions<Value>): WatchedFiles<Value> {
  const { files, parse, onChanged, onProblem, onLook, intervalMs = INTERVAL_MS } = options;
  const { value: first, mark: firstMark } = readFirst(options);
  let settled = firstMark;
  let seen = firstMark;
  let looking = false;

  const look = async (): Promise<void> => {
    const found = await read(files);
    const mark = markOf(found);
    const before = seen;
    seen = mark;
    if (mark === settled || mark !== before) return;
    settled = mark;
    try {
      if (found instanceof KeywardenError) throw found;
      onChanged(parse(found));
    } catch (error) {
      // Nobody waits for this: what is thrown on would end the process.
      onProblem(problemOf(files, error));
    }
  };
  const timer = setInterval(() => {
    onLook?.();
    if (looking) return;
    looking = true;
    void look().finally(() => {
      looking = false;
    });
  }, intervalMs);
  timer.unref();
  return { first, look, close: () => clearInterval(timer) };
}

/** What the files hold, or why one of them cannot be read. */
async function read(files: readonly NamedFile[]): Promise<readonly string[] | KeywardenError> {
  try {
    return await Promise.all(files.map(readNamedFile));
  } catch (error) {
    return problemOf(files, error);
  }
}

/** Why the files can't be used; also where nobody has foreseen it. */
function problemOf(files: readonly NamedFile[], error: unknown): KeywardenError {
  if (error instanceof KeywardenError) return error;
  const names = files.map(({ setting, path }) => `${setting} ${path}`).join(" and ");
  const why = error instanceof Error ? error.message : "unknown error";
  return tlsRefusal("TLS_UNREADABLE", `${names} cannot be used: ${why}`, error);
}

function readFirst<Value>({ files, parse, onProblem, fallback }: WatchedFilesOptions<Value>): {
  readonly value: Value;
  readonly mark: string;
} {
  let found: readonly string[] = [];
  try {
    found = files.map(readNamedFileSync);
    return { value: parse(found), mark: markOf(found) };
  } catch (error) {
    const problem = problemOf(files, error);
    if (fallback === undefined) throw problem;
    onProblem(problem);
    return { value: fallback, mark: markOf(found.length === 0 ? problem : found) };
  }
}

/** The same for the same state of the files. Contents are not kept for it: a private key is among them. */
function markOf(found: readonly string[] | KeywardenError): string {
  if (found instanceof KeywardenError) return found.message;
  return createHash("sha256").update(JSON.stringify(found)).digest("hex");
}
