import { hash } from "node:crypto";
import { beforeEach } from "vitest";
import type { AdminParts } from "../../src/app/admin-parts.ts";
import { type Import, type ImportKeysInput, importKeys } from "../../src/app/import-keys.ts";
import type { ImportCandidate, ImportOutcome } from "../../src/app/import-plan.ts";
import { updateApi } from "../../src/app/update-api.ts";
import type { ImportedKey } from "../../src/domain/import-rules.ts";
import type { FieldViolation } from "../../src/domain/keywarden-error.ts";
import { type Authority, createAuthority } from "./authority.ts";

/** Of the tokens here. */
export const SHAPE = { prefix: "sk_", minLength: 16, maxLength: 64 };
export const tokenOf = (name: string | number) => `sk_live_of_another_system_${name}`;

/** What an import says of the token of this name. */
export function imported(
  name: string | number,
  fields: Partial<ImportedKey> = {},
): { readonly imported: ImportedKey } {
  return {
    imported: {
      tokenSha256: hash("sha256", tokenOf(name), "buffer"),
      tokenStart: "sk_live_",
      tokenEnd: "",
      isNative: false,
      owner: "acct_1",
      displayName: "",
      scopes: [],
      allowedCidrs: [],
      rateLimits: [],
      metadata: {},
      state: "ACTIVE",
      expireTime: null,
      createTime: null,
      ...fields,
    },
  };
}

/** An authority whose API `orders` takes such tokens. */
export async function importingAuthority(...wrap: Parameters<typeof createAuthority>): Promise<Authority> {
  const authority = await createAuthority(...wrap);
  await updateApi(authority.parts, { apiId: "orders", etag: "" }, { importedTokenShapes: [SHAPE] });
  return authority;
}

interface Importing {
  authority: Authority;
  /** Imports into that. */
  importing(candidates: readonly ImportCandidate[], input?: Partial<ImportKeysInput>): Promise<Import>;
}

/** A new one for each test, in whose place a test may put another. */
export function importingPerTest(): Importing {
  let authority: Authority;
  beforeEach(async () => {
    authority = await importingAuthority();
  });
  return {
    get authority() {
      return authority;
    },
    set authority(other) {
      authority = other;
    },
    importing: (candidates, input) => importInto(authority.parts, candidates, input),
  };
}

/** Imports into `orders` in `test`, unless the input says otherwise. */
export function importInto(
  parts: AdminParts,
  candidates: readonly ImportCandidate[],
  input: Partial<ImportKeysInput> = {},
): Promise<Import> {
  return importKeys(parts, {
    api: "orders",
    environment: "test",
    candidates,
    dryRun: false,
    requestId: "",
    ...input,
  });
}

export const kindsOf = (outcomes: readonly ImportOutcome[]) => outcomes.map(({ kind }) => kind);

export function violationsOf(outcome: ImportOutcome | undefined): readonly FieldViolation[] {
  return outcome?.kind === "refused" ? outcome.violations : [];
}
