import { createPepper, type Pepper } from "../../domain/digest.ts";
import { type SecretKind, type SecretSource, type SecretSources, sourceText } from "../../domain/keyring.ts";
import { createSealKey, type SealKey } from "../../domain/seal.ts";
import { runSecretCommand } from "./secret-command.ts";
import { readSecretFile } from "./secret-file.ts";
import { readSecretLines } from "./secret-lines.ts";
import { type Refuse, refusalsOf } from "./secret-refusal.ts";

interface SecretTypes {
  readonly pepper: Pepper;
  readonly "seal-key": SealKey;
}

export type SecretOf<Kind extends SecretKind> = SecretTypes[Kind];
export type Secrets<Kind extends SecretKind> = readonly [SecretOf<Kind>, ...SecretOf<Kind>[]];

/** What makes a secret of its 32 bytes. */
export const CREATE: { readonly [Kind in SecretKind]: (secret: Uint8Array) => SecretOf<Kind> } = {
  pepper: createPepper,
  "seal-key": createSealKey,
};

/** Undefined: the source has nothing, no such file or no such variable. */
export interface FoundSecrets {
  readonly pepper: Secrets<"pepper"> | undefined;
  readonly sealKey: Secrets<"seal-key"> | undefined;
}

/**
 * The secrets that the sources have, the current one of each kind first. Their variables are taken out of `variables`,
 * so that no process that is started later inherits them.
 * Rejects with FAILED_PRECONDITION (see secret-refusal.ts).
 */
export async function readSecrets(
  { pepper, sealKey }: SecretSources,
  variables: NodeJS.ProcessEnv,
): Promise<FoundSecrets> {
  // Before any command is run, as it inherits the others.
  const fromVariables = { pepper: take(pepper, variables), sealKey: take(sealKey, variables) };
  return {
    pepper: await readKind("pepper", pepper, fromVariables.pepper, variables),
    sealKey: await readKind("seal-key", sealKey, fromVariables.sealKey, variables),
  };
}

function take(source: SecretSource, variables: NodeJS.ProcessEnv): string | undefined {
  if (source.kind !== "env") return undefined;
  const text = variables[source.name];
  delete variables[source.name];
  return text;
}

async function readKind<Kind extends SecretKind>(
  kind: Kind,
  source: SecretSource,
  variable: string | undefined,
  variables: NodeJS.ProcessEnv,
): Promise<Secrets<Kind> | undefined> {
  const refuse = refusalsOf(kind);
  const text = await readText(source, variable, variables, refuse);
  if (text === undefined) return undefined;
  try {
    const [first, ...others] = readSecretLines(text, sourceText(source), CREATE[kind], refuse);
    return [first.secret, ...others.map(({ secret }) => secret)];
  } finally {
    text.fill(0);
  }
}

async function readText(
  source: SecretSource,
  variable: string | undefined,
  variables: NodeJS.ProcessEnv,
  refuse: Refuse,
): Promise<Buffer | undefined> {
  switch (source.kind) {
    case "file":
      return readSecretFile(source.path, refuse);
    case "command":
      return runSecretCommand(source, variables, refuse);
    case "env":
      return variable === undefined ? undefined : Buffer.from(variable);
  }
}
