import type { Key } from "../domain/key.ts";
import type { TokenUse } from "../domain/usage.ts";
import type { UsageReads } from "../ports/store.ts";

/** When and from where a key's tokens were last allowed; undefined: never, as far as it was written down. */
export interface KeyUses {
  readonly current: TokenUse | undefined;
  readonly previous: TokenUse | undefined;
}

/** The last uses of these keys' tokens, read with one question however many there are. */
export async function lastUsesOf(
  store: Pick<UsageReads, "lastUses">,
  keys: readonly Key[],
): Promise<(key: Key) => KeyUses> {
  const uses = await store.lastUses(keys.map(({ id }) => id));
  const found = new Map(uses.map((use) => [`${use.keyId} ${use.generation}`, use]));
  return ({ id, generation }) => ({
    current: found.get(`${id} ${generation}`),
    previous: found.get(`${id} ${generation - 1}`),
  });
}
