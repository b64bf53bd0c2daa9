import Database from "better-sqlite3";
import { beforeEach, describe, expect, it } from "vitest";
import type { AdminParts, Caller } from "../../src/app/admin-parts.ts";
import { createAuditCheckpoint, listAuditEvents, verifyAudit } from "../../src/app/audit.ts";
import { createApi } from "../../src/app/create-api.ts";
import { createKey } from "../../src/app/create-key.ts";
import { rotateKey } from "../../src/app/rotate-key.ts";
import type { ApiId, Environment } from "../../src/domain/api.ts";
import type { Revision } from "../../src/domain/revision.ts";
import { KEY } from "../support/authority.ts";
import { testApi, testKey } from "../support/records.ts";
import { someHistory } from "./some-history.ts";
import { storeOnFile } from "./store-on-file.ts";

const onFile = storeOnFile();
let parts: AdminParts;

const caller: Caller = {
  actor: { kind: "CREDENTIAL", keyId: testKey().id, ip: "192.0.2.7" },
  credential: testKey({ api: "keywarden" as ApiId, scopes: ["*"] }),
  requestId: "request-7",
};

beforeEach(() => {
  parts = { ...onFile.parts, caller };
});

describe("the audit", () => {
  it("says of each change who made it, from where, with which request, and what it was before and after", async () => {
    const key = await someHistory(parts);
    const { items } = await listAuditEvents(parts, {}, { size: 0, token: "" });
    expect(
      items.map(({ action, recordId }) => `${action} ${recordId === key.id ? "key" : recordId}`),
    ).toEqual([
      "DisableKey key",
      "DeleteApi gone",
      "CreateApi gone",
      "RotateKey key",
      "UpdateKey key",
      "CreateKey key",
      "CreateApi orders",
    ]);
    const update = items.find(({ action }) => action === "UpdateKey");
    expect(update).toMatchObject({
      actor: caller.actor,
      requestId: "request-7",
      api: "orders",
      time: parts.now(),
      before: JSON.stringify({ scopes: ["orders:read"] }),
      after: JSON.stringify({ scopes: ["orders:*"] }),
    });
    const deletion = items.find(({ action }) => action === "DeleteApi");
    expect(JSON.parse(deletion?.before ?? "")).toMatchObject({ tokenPrefix: "gone" });
    expect(deletion?.after).toBeNull();
  });

  it("says nothing of a change that was not made", async () => {
    const { head } = await verifyAudit(parts, 1 as Revision, undefined);
    await expect(createApi(parts, testApi())).rejects.toMatchObject({ reason: "API_EXISTS" });
    expect((await verifyAudit(parts, 1 as Revision, undefined)).head).toBe(head);
  });

  it("holds no token and no digest", async () => {
    const { key } = await createKey(parts, KEY, "");
    const issued = await rotateKey(parts, { keyId: key.id, etag: "" }, 1_000, "");
    const db = new Database(onFile.path(), { readonly: true });
    const rows = JSON.stringify(db.prepare("SELECT * FROM audit_events").all());
    const digests = db.prepare<[], Buffer>("SELECT digest FROM tokens").pluck().all();
    db.close();
    if (issued.replayed) throw new Error("a new token is no replay");
    expect(rows).not.toContain(issued.token.reveal());
    for (const digest of digests) {
      for (const encoding of ["hex", "base64", "latin1"] as const)
        expect(rows).not.toContain(digest.toString(encoding));
    }
  });

  it("pages through everything once, the newest first, by any filter", async () => {
    const key = await someHistory(parts);
    const filters = [
      {},
      { api: "orders" as ApiId },
      { recordId: key.id },
      { actorKeyId: testKey().id },
      { action: "CreateApi" as const },
    ];
    for (const filter of filters) {
      const whole = await listAuditEvents(parts, filter, { size: 100, token: "" });
      const paged: number[] = [];
      let token = "";
      do {
        const page = await listAuditEvents(parts, filter, { size: 2, token });
        paged.push(...page.items.map(({ revision }) => revision));
        token = page.nextPageToken;
      } while (token !== "");
      expect(paged).toEqual(whole.items.map(({ revision }) => revision));
      expect(paged).toEqual(paged.toSorted((a, b) => b - a));
      expect(paged.length).toBeGreaterThan(0);
    }
    expect((await listAuditEvents(parts, { from: 0, until: 1 }, { size: 0, token: "" })).items).toEqual([]);
  });

  it("is read by a bound credential for its APIs only, and verified by none", async () => {
    await someHistory(parts);
    const bound = (apis: readonly string[], environment: string | null = null) => {
      const binding = { apis: apis as ApiId[], environment: environment as Environment | null };
      return { ...parts, caller: { ...caller, credential: testKey({ binding }) } };
    };
    const { items } = await listAuditEvents(bound(["orders"]), {}, { size: 0, token: "" });
    expect(new Set(items.map(({ api }) => api))).toEqual(new Set(["orders"]));
    const denied = { status: "PERMISSION_DENIED", reason: "CREDENTIAL_BOUND" };
    const page = { size: 0, token: "" };
    await expect(listAuditEvents(bound(["orders"]), { api: "gone" as ApiId }, page)).rejects.toMatchObject(
      denied,
    );
    await expect(listAuditEvents(bound(["orders", "gone"]), {}, page)).rejects.toMatchObject(denied);
    await expect(listAuditEvents(bound([], "test"), {}, page)).rejects.toMatchObject(denied);
    await expect(verifyAudit(bound(["orders"]), 1 as Revision, undefined)).rejects.toMatchObject(denied);
    await expect(createAuditCheckpoint(bound(["orders"]))).rejects.toMatchObject(denied);
  });
});
