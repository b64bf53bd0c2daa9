import { type KeyObject, randomBytes } from "node:crypto";
import type { PepperId } from "../../domain/digest.ts";
import {
  type Keyring,
  type SecretKind,
  type SecretSource,
  type SecretSources,
  sourceText,
} from "../../domain/keyring.ts";
import type { SealKeyId } from "../../domain/seal.ts";
import { writePrivateFile } from "../files/private-file.ts";
import { CREATE, readSecrets, type SecretOf, type Secrets } from "./read-secrets.ts";
import { encodeSecret, SECRET_BYTES } from "./secret-encoding.ts";
import { refusalsOf, SECRET_WORDS } from "./secret-refusal.ts";

/** The ids of the secrets that a store was made with; none: it is new. */
interface StoredIds {
  readonly pepperIds: readonly PepperId[];
  readonly sealKeyIds: readonly SealKeyId[];
}

/**
 * The secrets from their sources; all of those that the store was made with are among them. What a new store has no
 * file for is made, with mode 0600, where that file belongs to the store. A secret's variable is taken out of
 * `variables`. Nothing but the key objects is kept of a secret.
 *
 * Rejects with FAILED_PRECONDITION: PEPPER_ or SEAL_KEY_ and MISSING, WRONG, EXPOSED or UNREADABLE.
 */
export async function loadKeyring(
  sources: SecretSources,
  stored: StoredIds,
  variables: NodeJS.ProcessEnv = process.env,
): Promise<Keyring> {
  const found = await readSecrets(sources, variables);
  const { pepperIds, sealKeyIds } = stored;
  return apart({
    peppers: usable("pepper", sources.pepper, found.pepper, pepperIds),
    sealKeys: usable("seal-key", sources.sealKey, found.sealKey, sealKeyIds),
  });
}

function usable<Kind extends SecretKind>(
  kind: Kind,
  source: SecretSource,
  found: Secrets<Kind> | undefined,
  stored: readonly string[],
): Secrets<Kind> {
  if (found === undefined) return [make(kind, source, stored)];
  const ids = found.map(({ id }) => id);
  const unknown = stored.filter((id) => !ids.some((one) => one === id));
  if (unknown.length === 0) return found;
  throw refusalsOf(kind)(
    "WRONG",
    `${sourceText(source)} holds ${ids.join(", ")}, and the store was made with the ${SECRET_WORDS[kind].plural} ` +
      `${unknown.join(", ")}: add what is missing from a backup, each on a line below the current one`,
  );
}

function make<Kind extends SecretKind>(
  kind: Kind,
  source: SecretSource,
  stored: readonly string[],
): SecretOf<Kind> {
  const refuse = refusalsOf(kind);
  const { name, plural } = SECRET_WORDS[kind];
  const where = `${sourceText(source)} ${source.kind === "env" ? "is not set" : "does not exist"}`;
  if (stored.length > 0) {
    throw refuse(
      "MISSING",
      `${where}, and the store was made with the ${plural} ${stored.join(", ")}: without, it has no key that counts. ` +
        "Restore it from a backup",
    );
  }
  if (source.kind !== "file" || !source.madeWithStore) {
    throw refuse(
      "MISSING",
      `${where}. Only a ${name} in the store's own directory is made by itself; make this one with: ` +
        "openssl rand -base64 32",
    );
  }
  const bytes = randomBytes(SECRET_BYTES);
  const text = encodeSecret(bytes);
  writePrivateFile(source.path, text);
  text.fill(0);
  const secret = CREATE[kind](bytes);
  bytes.fill(0);
  return secret;
}

/** One secret for two purposes would make each as weak as the other. */
function apart(keyring: Keyring): Keyring {
  const keys: readonly KeyObject[] = keyring.peppers.map(({ key }) => key);
  const shared = keyring.sealKeys.find(({ key }) => keys.some((other) => other.equals(key)));
  if (shared === undefined) return keyring;
  throw refusalsOf("seal-key")("WRONG", `seal key ${shared.id} is a pepper as well: make another`);
}
