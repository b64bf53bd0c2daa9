import { hash, randomBytes } from "node:crypto";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { type Authority, createAuthority } from "../../test/support/authority.ts";
import { overrideStore } from "../../test/support/override-store.ts";
import { testKey } from "../../test/support/records.ts";
import type { ApiId, Environment } from "../domain/api.ts";
import { createPepper } from "../domain/digest.ts";
import type { ImportedKey } from "../domain/import-rules.ts";
import type { KeyId } from "../domain/key.ts";
import type { FieldViolation } from "../domain/keywarden-error.ts";
import type { Revision } from "../domain/revision.ts";
import { createApi } from "./create-api.ts";
import { type ImportKeysInput, importKeys } from "./import-keys.ts";
import type { ImportCandidate, ImportOutcome } from "./import-plan.ts";
import { revokeKey } from "./revoke-key.ts";
import { updateApi } from "./update-api.ts";

let authority: Authority;

const SHAPE = { prefix: "sk_", minLength: 16, maxLength: 64 };
const tokenOf = (name: string | number) => `sk_live_of_another_system_${name}`;

/** What an import says of the token of this name. */
function imported(
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

function importing(candidates: readonly ImportCandidate[], input: Partial<ImportKeysInput> = {}) {
  return importKeys(authority.parts, {
    api: "orders",
    environment: "test",
    candidates,
    dryRun: false,
    requestId: "",
    ...input,
  });
}

const kindsOf = (outcomes: readonly ImportOutcome[]) => outcomes.map(({ kind }) => kind);

function violationsOf(outcome: ImportOutcome | undefined): readonly FieldViolation[] {
  return outcome?.kind === "refused" ? outcome.violations : [];
}

beforeEach(async () => {
  authority = await createAuthority();
  await updateApi(authority.parts, { apiId: "orders", etag: "" }, { importedTokenShapes: [SHAPE] });
});

describe("an imported key", () => {
  it("is allowed with the token that it had elsewhere", async () => {
    expect(await authority.verify(tokenOf("a"))).toBe("UNKNOWN_TOKEN");
    const { outcomes } = await importing([imported("a", { scopes: ["orders:read"] })]);
    expect(kindsOf(outcomes)).toEqual(["imported"]);
    expect(await authority.verify(tokenOf("a"), { requiredScope: "orders:read" })).toBe("ALLOWED");
    expect(await authority.verify(tokenOf("a"), { requiredScope: "orders:write" })).toBe(
      "INSUFFICIENT_SCOPE",
    );
  });

  it("has what its row said, with networks in one spelling and nothing twice", async () => {
    const fields = {
      owner: "acct_7",
      displayName: "CI",
      scopes: ["orders:read", "orders:read"],
      allowedCidrs: ["203.0.113.7"],
      rateLimits: [{ name: "imported", quota: 5, window: 60_000 }],
      metadata: { plan: "pro" },
      state: "DISABLED",
      expireTime: 2_000_000,
      createTime: 7,
      tokenEnd: "a1B2",
    } as const;
    const { outcomes } = await importing([imported("a", fields)]);
    const [outcome] = outcomes;
    const id = outcome?.kind === "imported" ? outcome.keyId : null;
    expect(await authority.parts.store.getKey(id as KeyId)).toMatchObject({
      api: "orders",
      environment: "test",
      owner: "acct_7",
      displayName: "CI",
      scopes: ["orders:read"],
      allowedCidrs: ["203.0.113.7/32"],
      rateLimits: fields.rateLimits,
      metadata: { plan: "pro" },
      state: "DISABLED",
      expireTime: 2_000_000,
      createTime: 7,
      updateTime: authority.clock.now,
      hint: "sk_live_…a1B2",
      generation: 1,
    });
    expect(await authority.verify(tokenOf("a"))).toBe("DISABLED");
  });

  it("gets no default of the API: it stays as it was elsewhere", async () => {
    await updateApi(
      authority.parts,
      { apiId: "orders", etag: "" },
      { keyDefaults: { ttl: 60_000, rateLimits: [{ name: "d", quota: 1, window: 1_000 }] } },
    );
    await importing([imported("a")]);
    const [key] = await authority.parts.store.listKeys({ api: "orders" as ApiId }, "", 1);
    expect(key).toMatchObject({ expireTime: null, rateLimits: [] });
  });

  it("of another Keywarden has that one's token, if its prefix and environment are the same", async () => {
    const { token } = await authority.key();
    const other = await createAuthority();
    const candidate = imported("", {
      tokenSha256: hash("sha256", token, "buffer"),
      isNative: true,
      tokenStart: "",
    });
    await importKeys(other.parts, {
      api: "orders",
      environment: "test",
      candidates: [candidate],
      dryRun: false,
      requestId: "",
    });
    expect(await other.verify(token)).toBe("ALLOWED");
    const [key] = await other.parts.store.listKeys({ api: "orders" as ApiId }, "", 1);
    expect(key?.hint).toBe("ord_test_…");
  });
});

describe("an import", () => {
  it("made again changes nothing, and says which keys there are", async () => {
    const first = await importing([imported("a"), imported("b")]);
    const { revision } = await authority.parts.store.auditHead();
    const again = await importing([imported("a"), imported("b"), imported("c")]);
    expect(kindsOf(again.outcomes)).toEqual(["already-there", "already-there", "imported"]);
    const ids = (outcomes: readonly ImportOutcome[]) =>
      outcomes.map((outcome) => (outcome.kind === "refused" ? "" : outcome.keyId));
    expect(ids(again.outcomes).slice(0, 2)).toEqual(ids(first.outcomes));
    expect((await authority.parts.store.auditHead()).revision).toBe(revision + 1);
    expect(await importing([imported("a")])).toMatchObject({ importId: "" });
    expect((await authority.parts.store.auditHead()).revision).toBe(revision + 1);
  });

  it("never brings back a key that was revoked since", async () => {
    const { outcomes } = await importing([imported("a")]);
    const keyId = outcomes[0]?.kind === "imported" ? (outcomes[0].keyId ?? "") : "";
    await revokeKey(authority.parts, { keyId, etag: "" });
    expect(kindsOf((await importing([imported("a", { scopes: ["*"] })])).outcomes)).toEqual([
      "already-there",
    ]);
    expect(await authority.verify(tokenOf("a"))).toBe("REVOKED");
  });

  it("takes a token once that is there twice", async () => {
    const { outcomes } = await importing([
      imported("a", { owner: "first" }),
      imported("a", { owner: "second" }),
    ]);
    expect(kindsOf(outcomes)).toEqual(["imported", "already-there"]);
    const keys = await authority.parts.store.listKeys({ api: "orders" as ApiId }, "", 10);
    expect(keys.map(({ owner }) => owner)).toEqual(["first"]);
  });

  it("imports the good ones whatever is wrong with others, and says what and where", async () => {
    const { outcomes } = await importing([
      imported("a"),
      imported("b", { owner: "" }),
      { violations: [{ field: "key.expire_time", description: "is no time" }] },
      imported("c", { allowedCidrs: ["203.0.113.0/24", "nowhere"] }),
      imported("d"),
    ]);
    expect(kindsOf(outcomes)).toEqual(["imported", "refused", "refused", "refused", "imported"]);
    expect(outcomes.flatMap(violationsOf).map(({ field }) => field)).toEqual([
      "keys[1].owner",
      "keys[2].expire_time",
      "keys[3].allowed_cidrs[1]",
    ]);
    expect(await authority.verify(tokenOf("d"))).toBe("ALLOWED");
    expect(await authority.verify(tokenOf("b"))).toBe("UNKNOWN_TOKEN");
  });

  it("in a dry run says the same, and stores nothing", async () => {
    await importing([imported("a")]);
    const before = await authority.parts.store.auditHead();
    const { outcomes, importId } = await importing(
      [imported("a"), imported("b"), imported("b"), imported("c", { owner: "" })],
      { dryRun: true },
    );
    expect(kindsOf(outcomes)).toEqual(["already-there", "imported", "already-there", "refused"]);
    expect(outcomes.map((outcome) => outcome.kind !== "refused" && outcome.keyId !== null)).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(importId).toBe("");
    expect(await authority.parts.store.auditHead()).toEqual(before);
    expect(await authority.verify(tokenOf("b"))).toBe("UNKNOWN_TOKEN");
  });

  it("is one event of the audit, with the keys' ids and no hash", async () => {
    const requestId = "0193b0a8-0000-4000-8000-000000000001";
    const { importId } = await importing([imported("a"), imported("b")], { requestId });
    const [event] = await authority.parts.store.listAuditEvents({}, Infinity as Revision, 1);
    expect(event).toMatchObject({ action: "ImportKeys", recordId: importId, requestId, api: "orders" });
    const text = JSON.stringify(event);
    for (const encoding of ["hex", "base64"] as const)
      expect(text).not.toContain(hash("sha256", tokenOf("a"), encoding));
  });

  it("finds a token under a former pepper", async () => {
    await importing([imported("a")]);
    const former = authority.parts.pepper;
    const parts = { ...authority.parts, pepper: createPepper(randomBytes(32)), formerPeppers: [former] };
    const input = {
      api: "orders",
      environment: "test",
      candidates: [imported("a")],
      dryRun: false,
      requestId: "",
    };
    expect(kindsOf((await importKeys(parts, input)).outcomes)).toEqual(["already-there"]);
  });

  it("that another one overtakes finds what that has stored", async () => {
    let isFirst = true;
    authority = await createAuthority((store) =>
      overrideStore(store, {
        commit: async (change, entry) => {
          if (change.kind === "import-keys" && isFirst) {
            isFirst = false;
            await importing([imported("a")]);
          }
          return store.commit(change, entry);
        },
      }),
    );
    await updateApi(authority.parts, { apiId: "orders", etag: "" }, { importedTokenShapes: [SHAPE] });
    const { outcomes } = await importing([imported("a"), imported("b")]);
    expect(kindsOf(outcomes)).toEqual(["already-there", "imported"]);
  });

  it("of a token whose stored record can't be trusted is refused, and stores nothing", async () => {
    await importing([imported("a")]);
    const { store } = authority.parts;
    const blind = overrideStore(store, {
      findTokens: async () => ({ revision: 0 as Revision, value: [] }),
    } as Partial<typeof store>);
    const input = {
      api: "orders",
      environment: "test",
      candidates: [imported("a"), imported("b")],
      dryRun: false,
      requestId: "",
    };
    await expect(importKeys({ ...authority.parts, store: blind }, input)).rejects.toMatchObject({
      status: "DATA_LOSS",
      reason: "SEAL_BROKEN",
    });
    expect(await authority.verify(tokenOf("b"))).toBe("UNKNOWN_TOKEN");
  });
});

describe("an import is refused as a whole", () => {
  it.each<[string, Partial<ImportKeysInput>, string]>([
    ["without keys", { candidates: [] }, "keys"],
    [
      "with more than 1,000",
      { candidates: Array.from({ length: 1_001 }, (_, index) => imported(index)) },
      "keys",
    ],
    ["without an API", { api: "" }, "api"],
    ["into an environment that is none", { environment: "moon" }, "environment"],
    ["into one of several environments that is not said", { environment: "" }, "environment"],
    ["with a request id that is none", { requestId: "x" }, "request_id"],
  ])("%s", async (_what, input, field) => {
    await expect(importing([imported("a")], input)).rejects.toMatchObject({
      status: "INVALID_ARGUMENT",
      violations: [{ field }],
    });
  });

  it("into Keywarden's own API", async () => {
    await expect(importing([imported("a")], { api: "keywarden", environment: "live" })).rejects.toMatchObject(
      {
        reason: "BUILT_IN_API",
      },
    );
  });

  it("into an API that is not there", async () => {
    await expect(importing([imported("a")], { api: "nope" })).rejects.toMatchObject({
      reason: "API_NOT_FOUND",
    });
  });

  it.each([
    { apis: ["other" as ApiId], environment: null },
    { apis: [], environment: "live" as Environment },
  ])("if the caller is bound to %o", async (binding) => {
    const credential = testKey({ api: "keywarden" as ApiId, scopes: ["*"], binding });
    const caller = {
      actor: { kind: "CREDENTIAL", keyId: credential.id, ip: "" },
      credential,
      requestId: "",
    } as const;
    const input = {
      api: "orders",
      environment: "test",
      candidates: [imported("a")],
      dryRun: false,
      requestId: "",
    };
    await expect(importKeys({ ...authority.parts, caller }, input)).rejects.toMatchObject({
      reason: "CREDENTIAL_BOUND",
    });
  });
});

describe("a row is refused", () => {
  const zeros = (length: number) => new Uint8Array(length);
  it.each<[string, Partial<ImportedKey>, string, RegExp]>([
    ["whose hash is missing", { tokenSha256: zeros(0) }, "token_sha256", /32 bytes, and this has 0/],
    ["whose hash is too short", { tokenSha256: zeros(20) }, "token_sha256", /32 bytes, and this has 20/],
    ["whose hash is of nothing", { tokenSha256: hash("sha256", "", "buffer") }, "token_sha256", /empty/],
    [
      "whose start is too long to be shown",
      { tokenStart: "sk_".padEnd(25, "x") },
      "token_start",
      /up to 24 .* 25/,
    ],
    ["whose start does not show", { tokenStart: "sk_\u202e" }, "token_start", /printable/],
    ["whose end is too long to be shown", { tokenEnd: "a1B2c" }, "token_end", /up to 4 .* 5/],
    ["of a token that no shape admits", { tokenStart: "ghp_" }, "native_token", /imported_token_shapes/],
    ["that has expired", { expireTime: 1 }, "expire_time", /past/],
    ["that was made in the future", { createTime: 9_000_000_000_000 }, "create_time", /future/],
    ["that was made at no time", { createTime: Number.NaN }, "create_time", /instant/],
  ])("%s", async (_what, fields, field, description) => {
    const { outcomes } = await importing([imported("a", fields)]);
    expect(violationsOf(outcomes[0])).toEqual([
      { field: `keys[0].${field}`, description: expect.stringMatching(description) },
    ]);
  });

  it("if its API looks up no tokens but its own, and is told what to do", async () => {
    await updateApi(authority.parts, { apiId: "orders", etag: "" }, { importedTokenShapes: [] });
    const { outcomes } = await importing([imported("a"), imported("b", { isNative: true })]);
    expect(violationsOf(outcomes[0])[0]?.description).toContain("keywarden api apply");
    expect(outcomes[1]?.kind).toBe("imported");
  });

  it("with the first ten of the rules that it breaks, so that a thousand such rows fit in an answer", async () => {
    const allowedCidrs = Array.from({ length: 100 }, (_, index) => `nowhere ${index}`);
    const { outcomes } = await importing([imported("a", { allowedCidrs })]);
    expect(violationsOf(outcomes[0])).toHaveLength(10);
  });

  it("if its token is a key of another environment or API", async () => {
    await createApi(authority.parts, {
      ...authority.api,
      id: "other" as ApiId,
      tokenPrefix: "oth",
      importedTokenShapes: [SHAPE],
    });
    await importing([imported("a")]);
    const live = await importing([imported("a")], { environment: "live" });
    expect(violationsOf(live.outcomes[0])[0]?.description).toContain("the environment test");
    const other = await importing([imported("a")], { api: "other" });
    expect(violationsOf(other.outcomes[0])[0]?.description).toContain("another API");
  });

  it("and neither its hash nor a text of it is repeated, whatever is wrong", async () => {
    const secret = "sk_live_do_not_repeat_me";
    const wrong = fc.record(
      {
        tokenStart: fc.constantFrom(secret, `${secret}\n`),
        tokenEnd: fc.constantFrom(secret),
        createTime: fc.constantFrom(Number.NaN, 9e15),
        expireTime: fc.constantFrom(-1, 9e15),
      },
      { requiredKeys: ["tokenEnd"] },
    );
    await fc.assert(
      fc.asyncProperty(wrong, async (fields) => {
        const { outcomes } = await importing([imported("a", fields)]);
        const said = JSON.stringify(outcomes);
        expect(outcomes[0]?.kind).toBe("refused");
        expect(said).not.toContain("do_not_repeat");
        expect(said).not.toContain(hash("sha256", tokenOf("a"), "hex"));
      }),
      { numRuns: 30 },
    );
  });
});
