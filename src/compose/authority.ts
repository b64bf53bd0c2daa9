import { createHmac, createSecretKey, randomBytes } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import { writePrivateFile } from "../adapters/files/private-file.ts";
import type { Logger } from "../adapters/telemetry/logger.ts";
import type { AdminParts } from "../app/admin-parts.ts";
import { bootstrap } from "../app/bootstrap.ts";
import { PageTokens } from "../app/page-tokens.ts";
import { CheckpointKeys } from "../domain/audit-checkpoint.ts";
import type { Pepper } from "../domain/digest.ts";
import type { KeyId } from "../domain/key.ts";
import type { Keyring } from "../domain/keyring.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import type { Token } from "../domain/token.ts";
import type { Store } from "../ports/store.ts";
import type { ServeSettings } from "../settings.ts";

/** What the administration is made of, before somebody calls it. */
export type Authority = Omit<AdminParts, "caller">;

/**
 * The administration over a store, which has its built-in API and first credential when this resolves. Where that API was
 * edited behind Keywarden's back, its credentials count for nothing and no other is made: nobody administers, and the
 * keys of all other APIs are verified as ever.
 */
export async function openAuthority(
  settings: ServeSettings,
  store: Store,
  keyring: Keyring,
  log: Logger,
): Promise<Authority> {
  const [pepper, ...formerPeppers] = keyring.peppers;
  const authority: Authority = {
    store,
    pepper,
    formerPeppers,
    pageTokens: new PageTokens(derivedKey(pepper, "page tokens")),
    checkpointKeys: new CheckpointKeys(keyring.sealKeys),
    now: Date.now,
    randomBytes,
    newKeyId: () => uuidv7() as KeyId,
  };
  const keep = (token: Token) => {
    writePrivateFile(settings.adminTokenFile, `${token.reveal()}\n`);
    log.info({ file: settings.adminTokenFile }, "wrote the first admin token");
  };
  await bootstrap({ ...authority, caller: KEYWARDEN }, keep).catch((error: unknown) => {
    if (!(error instanceof KeywardenError) || error.reason !== "SEAL_BROKEN") throw error;
    log.error(
      { err: error, alarm: true },
      "ALARM: Keywarden's own API was changed behind its back: nobody administers, and callers' credentials are denied; keywarden doctor says what else was changed, and keywarden restore puts a backup in its place",
    );
  });
  return authority;
}

/** Keywarden itself, as the audit has it. */
export const KEYWARDEN: AdminParts["caller"] = {
  actor: { kind: "SYSTEM", keyId: null, ip: "" },
  credential: null,
  requestId: "",
};

/** A key for one purpose that no other purpose can use (HMAC as a KDF, as the pepper is uniformly random). */
function derivedKey(pepper: Pepper, purpose: string) {
  return createSecretKey(createHmac("sha256", pepper.key).update(`keywarden ${purpose}`).digest());
}
