import { randomBytes } from "node:crypto";
import { realpathSync } from "node:fs";
import type { KnownSecret, SecretKind, SecretSources } from "../../domain/keyring.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { type FileSteps, replaceFile, unfinishedName } from "../files/replace-file.ts";
import { codeOf } from "./error-code.ts";
import { CREATE, readSecrets } from "./read-secrets.ts";
import { encodeSecret, SECRET_BYTES } from "./secret-encoding.ts";
import { readSecretFile } from "./secret-file.ts";
import { MOST_SECRETS, readSecretLines, type SecretLine } from "./secret-lines.ts";
import { type Refuse, refusalsOf, SECRET_WORDS } from "./secret-refusal.ts";

/** The secrets that the sources have, by name. Rejects like `loadKeyring`, and with …_MISSING if a source has none. */
export async function listSecrets(
  sources: SecretSources,
  variables: NodeJS.ProcessEnv = process.env,
): Promise<readonly KnownSecret[]> {
  const { pepper, sealKey } = await readSecrets(sources, variables);
  if (pepper === undefined) throw missing("pepper");
  if (sealKey === undefined) throw missing("seal-key");
  return [...named("pepper", pepper), ...named("seal-key", sealKey)];
}

/**
 * Puts a new secret before the others of a file: the current one from the next start on. Gives all that the file then
 * has. Throws FAILED_PRECONDITION: like `loadKeyring`, or SECRETS_NOT_WRITTEN, or TOO_MANY_SECRETS; the file is then as
 * it was.
 */
export function rotateSecret(kind: SecretKind, path: string, steps?: FileSteps): readonly KnownSecret[] {
  const bytes = randomBytes(SECRET_BYTES);
  try {
    const { id } = CREATE[kind](bytes);
    const before = changeFile(kind, path, steps, (text, lines) => {
      if (lines.length >= MOST_SECRETS) {
        throw refused("TOO_MANY_SECRETS", `${path} holds ${lines.length} secrets: forget one of them first`);
      }
      const line = encodeSecret(bytes);
      const content = Buffer.concat([line, text]);
      line.fill(0);
      return content;
    });
    return named(kind, [{ id }, ...before]);
  } finally {
    bytes.fill(0);
  }
}

/**
 * Takes a former secret out of a file. Gives all that the file then has. Throws like `rotateSecret`, and
 * SECRET_CURRENT, SECRET_UNKNOWN.
 */
export function forgetSecret(
  kind: SecretKind,
  path: string,
  id: string,
  steps?: FileSteps,
): readonly KnownSecret[] {
  const before = changeFile(kind, path, steps, (text, lines) => {
    const line = lines.find(({ secret }) => secret.id === id);
    if (line === undefined) throw refused("SECRET_UNKNOWN", `${path} does not hold ${id}`);
    if (line === lines[0]) throw refused("SECRET_CURRENT", `${id} is the current one in ${path}`);
    return Buffer.concat([text.subarray(0, line.start), text.subarray(line.end)]);
  });
  return named(
    kind,
    before.filter((secret) => secret.id !== id),
  );
}

type Lines = readonly [SecretLine<Named>, ...SecretLine<Named>[]];

interface Named {
  readonly id: string;
}

/** Gives the secrets that the file had before. */
function changeFile(
  kind: SecretKind,
  path: string,
  steps: FileSteps | undefined,
  change: (text: Buffer, lines: Lines) => Buffer,
): readonly Named[] {
  const refuse = refusalsOf(kind);
  let before: readonly Named[] = [];
  // A mounted secret is a symbolic link, which stays.
  const target = targetOf(path, kind, refuse);
  try {
    replaceFile(
      target,
      () => {
        const text = readSecretFile(target, refuse);
        if (text === undefined) throw missing(kind);
        try {
          const create: (secret: Uint8Array) => Named = CREATE[kind];
          const lines = readSecretLines(text, path, create, refuse);
          before = lines.map(({ secret }) => secret);
          return change(text, lines);
        } finally {
          text.fill(0);
        }
      },
      steps,
    );
  } catch (error) {
    if (error instanceof KeywardenError) throw error;
    throw notWritten(target, error);
  }
  return before;
}

function targetOf(path: string, kind: SecretKind, refuse: Refuse): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") throw missing(kind);
    throw refuse("UNREADABLE", `${path} cannot be read (${codeOf(error)})`, error);
  }
}

function named(kind: SecretKind, secrets: readonly Named[]): readonly KnownSecret[] {
  return secrets.map(({ id }, index) => ({ kind, id, isCurrent: index === 0 }));
}

function missing(kind: SecretKind): KeywardenError {
  return refusalsOf(kind)(
    "MISSING",
    `there is no ${SECRET_WORDS[kind].name}: a new store makes it when it first starts`,
  );
}

function notWritten(path: string, error: unknown): KeywardenError {
  const code = codeOf(error);
  if (code === "EEXIST") {
    const unfinished = unfinishedName(path);
    return refused(
      "SECRETS_NOT_WRITTEN",
      `${unfinished} exists: somebody is changing the file, or was interrupted. If nobody is, remove it and repeat`,
      error,
    );
  }
  const why =
    code === "EROFS"
      ? "is on a file system that cannot be written: change it where it comes from"
      : `could not be replaced (${code}); it takes its owner, and room on the disk. See what it holds: keywarden secret list`;
  return refused("SECRETS_NOT_WRITTEN", `${path} ${why}`, error);
}

function refused(reason: string, message: string, cause?: unknown): KeywardenError {
  return new KeywardenError({ status: "FAILED_PRECONDITION", reason, message, cause });
}
