import { join } from "node:path";
import type { SecretSource, SecretSources } from "../domain/keyring.ts";
import type { StoreLocation } from "./values.ts";

interface GivenSources {
  readonly store: StoreLocation;
  readonly pepper?: SecretSource | undefined;
  readonly sealKey?: SecretSource | undefined;
}

/** A store's secrets are beside it, unless somebody has said where they come from. */
export function secretSources({ store, pepper, sealKey }: GivenSources): SecretSources {
  const beside = (name: string): SecretSource => ({
    kind: "file",
    path: join(store.directory, name),
    madeWithStore: true,
  });
  return { pepper: pepper ?? beside("pepper"), sealKey: sealKey ?? beside("seal-key") };
}
