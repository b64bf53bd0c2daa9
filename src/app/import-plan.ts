import type { Api, Environment } from "../domain/api.ts";
import { type Digest, digestToken, type TokenHash } from "../domain/digest.ts";
import { checkImportedKey, type ImportedKey, importedHint } from "../domain/import-rules.ts";
import type { Key, KeyId } from "../domain/key.ts";
import { canonicalKeyFields } from "../domain/key-rules.ts";
import type { FieldViolation } from "../domain/keywarden-error.ts";
import type { Revision } from "../domain/revision.ts";
import type { ImportKeys } from "../ports/store.ts";
import type { AdminParts } from "./admin-parts.ts";

/** A key as it was read, or what is wrong with it already; fields of violations begin with "key.". */
export type ImportCandidate =
  | { readonly imported: ImportedKey }
  | { readonly violations: readonly FieldViolation[] };

/** What becomes of a candidate. */
export type ImportOutcome =
  /** The key that has the token now; null: that key would be new, and is not stored. */
  | { readonly kind: "imported" | "already-there"; readonly keyId: KeyId | null }
  | { readonly kind: "refused"; readonly violations: readonly FieldViolation[] };

export interface ImportPlan {
  /** For each candidate; fields of violations begin with "keys[index].". */
  readonly outcomes: readonly ImportOutcome[];
  /** What there is to store. */
  readonly keys: ImportKeys["keys"];
  /** How many of the tokens are stored already. */
  readonly known: number;
}

interface ImportPlace {
  readonly api: Api;
  readonly environment: Environment;
}

/** What an import of these would do now. */
export async function planImport(
  parts: AdminParts,
  place: ImportPlace,
  candidates: readonly ImportCandidate[],
): Promise<ImportPlan> {
  const now = parts.now();
  const rows = candidates.map((candidate) => checkedRow(parts, place, candidate, now));
  const digests = rows.flatMap((row) => ("digests" in row ? row.digests : []));
  const { value: found } = await parts.store.findTokens(digests);
  const owners = new Map<Digest, Key>(found.map(({ digest, key }) => [digest, key]));
  const keys: { readonly key: Key; readonly token: ImportKeys["keys"][number]["token"] }[] = [];
  const outcomes = rows.map((row, index): ImportOutcome => {
    if ("violations" in row) return refused(index, row.violations);
    const owner = row.digests.map((digest) => owners.get(digest)).find((key) => key !== undefined);
    if (owner !== undefined) return outcomeOfOwned(index, owner, place);
    const key = newKey(row.imported, place, parts.newKeyId(), now);
    const [digest] = row.digests;
    // For those that come after it.
    owners.set(digest, key);
    keys.push({ key, token: { digest, pepperId: parts.pepper.id, generation: 1 } });
    return { kind: "imported", keyId: key.id };
  });
  return { outcomes, keys, known: found.length };
}

type CheckedRow =
  | { readonly violations: readonly FieldViolation[] }
  | {
      readonly imported: ImportedKey;
      /** How its token would be stored, and how it could have been. */
      readonly digests: readonly [Digest, ...Digest[]];
    };

function checkedRow(
  { pepper, formerPeppers }: AdminParts,
  { api }: ImportPlace,
  candidate: ImportCandidate,
  now: number,
): CheckedRow {
  if ("violations" in candidate) return candidate;
  const { imported } = candidate;
  const violations = checkImportedKey(imported, api, now);
  if (violations.length > 0) return { violations };
  const hash = Buffer.from(imported.tokenSha256).toString("latin1") as TokenHash;
  const former = formerPeppers.map((known) => digestToken(hash, known));
  return { imported, digests: [digestToken(hash, pepper), ...former] };
}

/** A token leads to one key, whatever becomes of that: an import never changes it. */
function outcomeOfOwned(index: number, owner: Key, { api, environment }: ImportPlace): ImportOutcome {
  if (owner.api === api.id && owner.environment === environment) {
    return { kind: "already-there", keyId: owner.id };
  }
  const where = owner.api === api.id ? `the environment ${owner.environment}` : "another API";
  return refused(index, [
    { field: "key.token_sha256", description: `is that of a key of ${where}: a token belongs to one key` },
  ]);
}

/** Of one key that are told: those of a thousand keys fit in one answer. */
const MOST_VIOLATIONS = 10;

function refused(index: number, violations: readonly FieldViolation[]): ImportOutcome {
  return {
    kind: "refused",
    violations: violations.slice(0, MOST_VIOLATIONS).map(({ field, description }) => ({
      field: field.replace(/^key\b/, `keys[${index}]`),
      description,
    })),
  };
}

function newKey(imported: ImportedKey, { api, environment }: ImportPlace, id: KeyId, now: number): Key {
  const { owner, displayName, scopes, allowedCidrs, rateLimits, metadata, state, expireTime } = imported;
  return {
    ...canonicalKeyFields({ scopes, allowedCidrs }),
    id,
    api: api.id,
    environment,
    owner,
    displayName,
    rateLimits,
    metadata,
    binding: null,
    state,
    expireTime,
    generation: 1,
    hint: importedHint(imported, api, environment),
    previousToken: null,
    createTime: imported.createTime ?? now,
    updateTime: now,
    revokeTime: null,
    revision: 0 as Revision,
  };
}
