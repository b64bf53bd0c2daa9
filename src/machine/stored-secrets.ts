import { loadKeyring } from "../adapters/secrets/load-keyring.ts";
import type { Inspection } from "../adapters/sqlite/inspection.ts";
import {
  type Keyring,
  type KnownSecret,
  type SecretSource,
  type SecretSources,
  sourceText,
} from "../domain/keyring.ts";

/**
 * The secrets of a store that is there; none is ever made. Rejects with FAILED_PRECONDITION: PEPPER_ or SEAL_KEY_ and
 * MISSING, WRONG, EXPOSED or UNREADABLE.
 */
export function keyringOf(sources: SecretSources, inspection: Inspection): Promise<Keyring> {
  return loadKeyring(existingOnly(sources), inspection.storedIds());
}

/** The same sources, of which nothing is made that is not there. */
export function existingOnly({ pepper, sealKey }: SecretSources): SecretSources {
  return { pepper: existing(pepper), sealKey: existing(sealKey) };
}

function existing(source: SecretSource): SecretSource {
  return source.kind === "file" ? { ...source, madeWithStore: false } : source;
}

/** The secrets by name, each with where it comes from. */
export function namedSecrets(
  { peppers, sealKeys }: Keyring,
  sources: SecretSources,
): readonly (KnownSecret & { readonly source: string })[] {
  const named = (
    kind: KnownSecret["kind"],
    secrets: readonly { readonly id: string }[],
    source: SecretSource,
  ) => secrets.map(({ id }, index) => ({ kind, id, isCurrent: index === 0, source: sourceText(source) }));
  return [...named("pepper", peppers, sources.pepper), ...named("seal-key", sealKeys, sources.sealKey)];
}
