import { createSecretKey, randomBytes } from "node:crypto";
import { existsSync, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { v7 as uuidv7 } from "uuid";
import { giveToOwner } from "../adapters/files/give-to-owner.ts";
import { writePrivateFile } from "../adapters/files/private-file.ts";
import { syncDirectory } from "../adapters/files/sync-directory.ts";
import { loadKeyring } from "../adapters/secrets/load-keyring.ts";
import { openSqliteStore } from "../adapters/sqlite/sqlite-store.ts";
import { createAdministrator } from "../app/bootstrap.ts";
import { PageTokens } from "../app/page-tokens.ts";
import { BUILT_IN_API } from "../domain/api.ts";
import { CheckpointKeys } from "../domain/audit-checkpoint.ts";
import { canAdminister } from "../domain/delegation.ts";
import type { Key, KeyId } from "../domain/key.ts";
import type { Keyring } from "../domain/keyring.ts";
import type { AdminReset } from "../domain/store-care.ts";
import type { Store } from "../ports/store.ts";
import type { MachineSettings } from "../settings.ts";
import { MACHINE, operatorName } from "./operator.ts";
import { refused } from "./refused.ts";
import { existingOnly } from "./stored-secrets.ts";

/**
 * Gives a store whose admin token is lost another administrator, and writes its token into the file that the command line
 * reads, in place of what was there. Rejects with FAILED_PRECONDITION, and then the file is as it was: STORE_MISSING,
 * STORE_IN_USE, and as a server would refuse to start.
 */
export async function resetAdministrator(settings: MachineSettings, now: () => number): Promise<AdminReset> {
  const { file, directory } = settings.store;
  if (!existsSync(file)) {
    throw refused(
      "STORE_MISSING",
      `there is no store at ${resolve(file)}: say where it is with --store (KEYWARDEN_STORE)`,
    );
  }
  const tokenFile = resolve(join(directory, "admin-token"));
  const { store, keyring } = await openStore(settings, now);
  // Until the credential exists, the token has a name of its own: neither it nor the one before can get lost.
  const unfinished = `${tokenFile}.reset`;
  try {
    const key = await createAdministrator(partsOf(store, keyring, now), "admin reset", (token) => {
      writePrivateFile(unfinished, `${token.reveal()}\n`);
      giveToOwner(unfinished, file);
    });
    renameSync(unfinished, tokenFile);
    syncDirectory(dirname(tokenFile));
    return { keyId: key.id, tokenFile, others: await otherAdministrators(store, key, now()) };
  } finally {
    rmSync(unfinished, { force: true });
    await store.close();
  }
}

async function openStore(
  settings: MachineSettings,
  now: () => number,
): Promise<{ readonly store: Store; readonly keyring: Keyring }> {
  let keyring: Keyring | undefined;
  let failure: unknown;
  const store = await openSqliteStore({
    path: settings.store.file,
    unlock: async (used) => {
      keyring = await loadKeyring(existingOnly(settings), used);
      return keyring.sealKeys;
    },
    now,
    // Nothing is verified here; a change that can't be made rejects by itself.
    onRefusedRow: (error) => {
      failure = error;
    },
    onWriterFailure: (error) => {
      failure = error;
    },
  });
  if (keyring === undefined) throw new Error("the store was opened without its secrets", { cause: failure });
  return { store, keyring };
}

function partsOf(store: Store, { peppers, sealKeys }: Keyring, now: () => number) {
  const [pepper, ...formerPeppers] = peppers;
  return {
    store,
    pepper,
    formerPeppers,
    pageTokens: new PageTokens(createSecretKey(randomBytes(32))),
    checkpointKeys: new CheckpointKeys(sealKeys),
    now,
    randomBytes,
    newKeyId: () => uuidv7() as KeyId,
    caller: {
      actor: MACHINE,
      credential: null,
      requestId: `reset by ${operatorName()}`,
    },
  } as const;
}

async function otherAdministrators(store: Store, own: Key, now: number): Promise<AdminReset["others"]> {
  const trusted = await store.trustedKeys(BUILT_IN_API);
  const others = trusted.filter((key) => key.id !== own.id && canAdminister(key, now));
  return others.map(({ id, displayName, hint, createTime }) => ({
    keyId: id,
    displayName,
    hint,
    createTime,
  }));
}
