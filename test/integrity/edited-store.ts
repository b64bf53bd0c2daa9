import { beforeEach } from "vitest";
import { createKey } from "../../src/app/create-key.ts";
import { revokeKey } from "../../src/app/revoke-key.ts";
import { type Digest, digestToken, hashToken } from "../../src/domain/digest.ts";
import type { Key } from "../../src/domain/key.ts";
import type { Store } from "../../src/ports/store.ts";
import { behindCache } from "../conformance/behind-cache.ts";
import { KEY } from "../support/authority.ts";
import { type StoreOnFile, storeOnFile } from "./store-on-file.ts";

/** A store that somebody edits behind its back, with what its administration and verifications see of it. */
export interface EditedStore extends StoreOnFile {
  readonly key: Key;
  /** Is the key's token found, by what a cache keeps of it? */
  isFound(): Promise<boolean>;
  revoke(): Promise<void>;
}

/** Before each test, a store with the API `orders` and one key, which a cache has read. */
export function editedStore(): EditedStore {
  const onFile = storeOnFile();
  const { path, alarms, edit, ask, problems, newest, close } = onFile;
  let cached: Store;
  let key: Key;
  let digest: Digest;

  const edited: EditedStore = {
    path,
    alarms,
    edit,
    ask,
    problems,
    newest,
    close,
    get store() {
      return onFile.store;
    },
    get parts() {
      return onFile.parts;
    },
    get key() {
      return key;
    },
    async isFound() {
      const { value } = await cached.findTokens([digest]);
      return value.some(({ key: found }) => found.state === "ACTIVE");
    },
    revoke: async () => void (await revokeKey(onFile.parts, { keyId: key.id, etag: "" })),
    async open(...sealKeys) {
      await onFile.open(...sealKeys);
      cached = behindCache(onFile.store);
    },
  };

  beforeEach(async () => {
    cached = behindCache(onFile.store);
    const created = await createKey(onFile.parts, KEY, "");
    if (created.replayed) throw new Error("a new key is no replay");
    key = created.key;
    digest = digestToken(hashToken(created.token.reveal()), onFile.parts.pepper);
    if (!(await edited.isFound())) throw new Error("the key is not found");
  });
  return edited;
}
