import { beforeEach } from "vitest";
import type { AdminParts } from "../../src/app/admin-parts.ts";
import type { KeyReference } from "../../src/app/change-key.ts";
import { createApi } from "../../src/app/create-api.ts";
import { type CreateKeyInput, createKey } from "../../src/app/create-key.ts";
import { type ApiId, BUILT_IN_API, type Environment } from "../../src/domain/api.ts";
import type { CredentialBinding, Key, KeyId } from "../../src/domain/key.ts";
import { type Authority, createAuthority, KEY } from "./authority.ts";
import { testApi } from "./records.ts";

/** An authority with two APIs, `orders` and `other`, and who administers it. */
interface TwoApis {
  readonly authority: Authority;
  administrator(fields?: Partial<CreateKeyInput>): ReturnType<typeof administratorOf>;
}

/** A new one for each test. */
export function twoApisPerTest(): TwoApis {
  let authority: Authority;
  beforeEach(async () => {
    authority = await createAuthority();
    await createApi(authority.parts, testApi({ id: "other" as ApiId, tokenPrefix: "oth" }));
  });
  return {
    get authority() {
      return authority;
    },
    administrator: (fields) => administratorOf(authority, fields),
  };
}

/** The key, whatever etag it has. */
export function of({ id }: { readonly id: KeyId }): KeyReference {
  return { keyId: id, etag: "" };
}

export function binding(apis: readonly string[], environment: string | null = null): CredentialBinding {
  return { apis: apis as readonly ApiId[], environment: environment as Environment | null };
}

/** What to ask of a new credential. */
export function credential(fields: Partial<CreateKeyInput> = {}): CreateKeyInput {
  return { ...KEY, api: BUILT_IN_API, environment: "live", ...fields };
}

/** A stored credential, which may do everything unless the fields say otherwise, and the administration as it sees it. */
async function administratorOf(
  authority: Authority,
  fields: Partial<CreateKeyInput> = {},
): Promise<{ key: Key; parts: AdminParts }> {
  const { key } = await createKey(authority.parts, credential({ scopes: ["*"], ...fields }), "");
  return { key, parts: as(authority, key) };
}

/** The administration as whoever presents this credential sees it. */
export function as({ parts }: Authority, own: Key): AdminParts {
  const actor = { kind: "CREDENTIAL", keyId: own.id, ip: "192.0.2.1" } as const;
  return { ...parts, caller: { actor, credential: own, requestId: "" } };
}

export const BOUND = { status: "PERMISSION_DENIED", reason: "CREDENTIAL_BOUND" };
export const BEYOND = { status: "PERMISSION_DENIED", reason: "BEYOND_OWN_AUTHORITY" };
