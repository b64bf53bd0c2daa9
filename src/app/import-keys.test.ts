import { hash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createAuthority } from "../../test/support/authority.ts";
import {
  imported,
  importInto,
  importingAuthority,
  importingPerTest,
  kindsOf,
  tokenOf,
  violationsOf,
} from "../../test/support/imports.ts";
import { overrideStore } from "../../test/support/override-store.ts";
import type { ApiId } from "../domain/api.ts";
import { createPepper } from "../domain/digest.ts";
import type { KeyId } from "../domain/key.ts";
import type { Revision } from "../domain/revision.ts";
import type { ImportOutcome } from "./import-plan.ts";
import { revokeKey } from "./revoke-key.ts";
import { updateApi } from "./update-api.ts";

const own = importingPerTest();
const { importing } = own;

describe("an imported key", () => {
  it("is allowed with the token that it had elsewhere", async () => {
    expect(await own.authority.verify(tokenOf("a"))).toBe("UNKNOWN_TOKEN");
    const { outcomes } = await importing([imported("a", { scopes: ["orders:read"] })]);
    expect(kindsOf(outcomes)).toEqual(["imported"]);
    expect(await own.authority.verify(tokenOf("a"), { requiredScope: "orders:read" })).toBe("ALLOWED");
    expect(await own.authority.verify(tokenOf("a"), { requiredScope: "orders:write" })).toBe(
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
    expect(await own.authority.parts.store.getKey(id as KeyId)).toMatchObject({
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
      updateTime: own.authority.clock.now,
      hint: "sk_live_…a1B2",
      generation: 1,
    });
    expect(await own.authority.verify(tokenOf("a"))).toBe("DISABLED");
  });

  it("gets no default of the API: it stays as it was elsewhere", async () => {
    await updateApi(
      own.authority.parts,
      { apiId: "orders", etag: "" },
      { keyDefaults: { ttl: 60_000, rateLimits: [{ name: "d", quota: 1, window: 1_000 }] } },
    );
    await importing([imported("a")]);
    const [key] = await own.authority.parts.store.listKeys({ api: "orders" as ApiId }, "", 1);
    expect(key).toMatchObject({ expireTime: null, rateLimits: [] });
  });

  it("of another Keywarden has that one's token, if its prefix and environment are the same", async () => {
    const { token } = await own.authority.key();
    const other = await createAuthority();
    const candidate = imported("", {
      tokenSha256: hash("sha256", token, "buffer"),
      isNative: true,
      tokenStart: "",
    });
    await importInto(other.parts, [candidate]);
    expect(await other.verify(token)).toBe("ALLOWED");
    const [key] = await other.parts.store.listKeys({ api: "orders" as ApiId }, "", 1);
    expect(key?.hint).toBe("ord_test_…");
  });
});

describe("an import", () => {
  it("made again changes nothing, and says which keys there are", async () => {
    const first = await importing([imported("a"), imported("b")]);
    const { revision } = await own.authority.parts.store.auditHead();
    const again = await importing([imported("a"), imported("b"), imported("c")]);
    expect(kindsOf(again.outcomes)).toEqual(["already-there", "already-there", "imported"]);
    const ids = (outcomes: readonly ImportOutcome[]) =>
      outcomes.map((outcome) => (outcome.kind === "refused" ? "" : outcome.keyId));
    expect(ids(again.outcomes).slice(0, 2)).toEqual(ids(first.outcomes));
    expect((await own.authority.parts.store.auditHead()).revision).toBe(revision + 1);
    expect(await importing([imported("a")])).toMatchObject({ importId: "" });
    expect((await own.authority.parts.store.auditHead()).revision).toBe(revision + 1);
  });

  it("never brings back a key that was revoked since", async () => {
    const { outcomes } = await importing([imported("a")]);
    const keyId = outcomes[0]?.kind === "imported" ? (outcomes[0].keyId ?? "") : "";
    await revokeKey(own.authority.parts, { keyId, etag: "" });
    expect(kindsOf((await importing([imported("a", { scopes: ["*"] })])).outcomes)).toEqual([
      "already-there",
    ]);
    expect(await own.authority.verify(tokenOf("a"))).toBe("REVOKED");
  });

  it("takes a token once that is there twice", async () => {
    const { outcomes } = await importing([
      imported("a", { owner: "first" }),
      imported("a", { owner: "second" }),
    ]);
    expect(kindsOf(outcomes)).toEqual(["imported", "already-there"]);
    const keys = await own.authority.parts.store.listKeys({ api: "orders" as ApiId }, "", 10);
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
    expect(await own.authority.verify(tokenOf("d"))).toBe("ALLOWED");
    expect(await own.authority.verify(tokenOf("b"))).toBe("UNKNOWN_TOKEN");
  });

  it("in a dry run says the same, and stores nothing", async () => {
    await importing([imported("a")]);
    const before = await own.authority.parts.store.auditHead();
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
    expect(await own.authority.parts.store.auditHead()).toEqual(before);
    expect(await own.authority.verify(tokenOf("b"))).toBe("UNKNOWN_TOKEN");
  });

  it("is one event of the audit, with the keys' ids and no hash", async () => {
    const requestId = "0193b0a8-0000-4000-8000-000000000001";
    const { importId } = await importing([imported("a"), imported("b")], { requestId });
    const [event] = await own.authority.parts.store.listAuditEvents({}, Infinity as Revision, 1);
    expect(event).toMatchObject({ action: "ImportKeys", recordId: importId, requestId, api: "orders" });
    const text = JSON.stringify(event);
    for (const encoding of ["hex", "base64"] as const)
      expect(text).not.toContain(hash("sha256", tokenOf("a"), encoding));
  });

  it("finds a token under a former pepper", async () => {
    await importing([imported("a")]);
    const former = own.authority.parts.pepper;
    const parts = { ...own.authority.parts, pepper: createPepper(randomBytes(32)), formerPeppers: [former] };
    expect(kindsOf((await importInto(parts, [imported("a")])).outcomes)).toEqual(["already-there"]);
  });

  it("that another one overtakes finds what that has stored", async () => {
    let isFirst = true;
    own.authority = await importingAuthority((store) =>
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
    const { outcomes } = await importing([imported("a"), imported("b")]);
    expect(kindsOf(outcomes)).toEqual(["already-there", "imported"]);
  });

  it("of a token whose stored record can't be trusted is refused, and stores nothing", async () => {
    await importing([imported("a")]);
    const { store } = own.authority.parts;
    const blind = overrideStore(store, {
      findTokens: async () => ({ revision: 0 as Revision, value: [] }),
    } as Partial<typeof store>);
    await expect(
      importInto({ ...own.authority.parts, store: blind }, [imported("a"), imported("b")]),
    ).rejects.toMatchObject({
      status: "DATA_LOSS",
      reason: "SEAL_BROKEN",
    });
    expect(await own.authority.verify(tokenOf("b"))).toBe("UNKNOWN_TOKEN");
  });
});
