import { readFileSync, rmSync, writeFileSync } from "node:fs";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { type Row, sealed } from "../../../src/adapters/sqlite/sealed-rows.ts";
import { createSealKey, Sealer } from "../../../src/domain/seal.ts";
import { DAY, type DoctorSubject } from "./doctor-subject.ts";

/** What the doctor finds wrong with the store, and with what it holds. */
export function describeRecords({ doctor, ids, made, one, path, place, start, tamper }: DoctorSubject): void {
  describe("of the store", () => {
    it("finds that there is none", async () => {
      rmSync(path("keywarden.db"));
      const { code, findings, examination } = await doctor();
      expect(code).toBe(1);
      expect(one(findings, "STORE_MISSING").what).toContain(path("keywarden.db"));
      expect(examination.store).toBe(null);
    });

    it.each([
      ["STORE_FOREIGN", "PRAGMA application_id = 7"],
      ["STORE_NEWER_SCHEMA", "INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('x', 9e15)"],
      ["STORE_OLDER_SCHEMA", "DELETE FROM __drizzle_migrations"],
      ["SCHEMA_ALTERED", "CREATE VIEW spy AS SELECT * FROM tokens"],
      ["SCHEMA_ALTERED", "DROP INDEX keys_by_owner"],
      ["BROKEN_REFERENCES", "DELETE FROM peppers"],
    ])("finds %s after %s", async (code, statement) => {
      tamper(statement);
      expect(one((await doctor()).findings, code).what).not.toBe("");
    });

    it("finds pages that somebody has overwritten", async () => {
      const bytes = readFileSync(path("keywarden.db"));
      bytes.fill(0x55, 4096 * 3, 4096 * 4);
      writeFileSync(path("keywarden.db"), bytes);
      const { code, findings } = await doctor(["--thorough"]);
      expect(code).toBe(1);
      expect(findings.map((finding) => finding.code)).toContain("STORE_CORRUPT");
      made.add("STORE_CORRUPT");
    });
  });

  describe("of the records", () => {
    it("finds every broken seal, and names the records", async () => {
      tamper(
        `UPDATE keys SET scopes = '["*"]' WHERE id = '${ids.key}'`,
        `UPDATE tokens SET generation = 9 WHERE key_id = '${ids.other}'`,
      );
      const { code, findings } = await doctor();
      expect(code).toBe(1);
      const { what } = one(findings, "SEAL_BROKEN");
      expect(what).toContain(`3 are not what Keywarden wrote`);
      expect(what).toContain(`key ${ids.key}`);
      expect(what).toContain(`token of key ${ids.other}`);
    });

    it("names no more than 20 of them", async () => {
      const columns =
        "api, environment, owner, display_name, scopes, allowed_cidrs, rate_limits, metadata, state, generation, hint, create_time, update_time, revision, seal";
      tamper(
        `WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 30)
        INSERT INTO keys (id, ${columns}) SELECT 'k' || i, ${columns} FROM keys, n WHERE id = '${ids.key}'`,
      );
      expect(one((await doctor()).findings, "SEAL_BROKEN").what).toMatch(/^30 are .*, and 10 more$/);
    });

    it("finds a key that is older than its last change: somebody has put it back", async () => {
      const server = await start();
      const aside = `ATTACH '${place.path("aside.db")}' AS aside`;
      tamper(aside, "CREATE TABLE aside.keys AS SELECT * FROM main.keys");
      await server.adminClient().revokeKey({ keyId: ids.key });
      await server.stop();
      tamper(
        aside,
        `DELETE FROM main.keys WHERE id = '${ids.key}'`,
        `INSERT INTO main.keys SELECT * FROM aside.keys WHERE id = '${ids.key}'`,
      );
      expect(one((await doctor()).findings, "RECORD_STALE").what).toContain(`key ${ids.key}`);
    });

    it("finds one that is sealed, and yet can't be read", async () => {
      const sealKey = createSealKey(Buffer.from(readFileSync(path("seal-key"), "utf8"), "base64"));
      const db = new Database(path("keywarden.db"));
      const row = db.prepare<[string], Row>("SELECT * FROM keys WHERE id = ?").get(ids.key)!;
      const { seal } = sealed(new Sealer([sealKey]), "keys", { ...row, scopes: "{}" });
      db.prepare("UPDATE keys SET scopes = '{}', seal = ? WHERE id = ?").run(seal, ids.key);
      db.close();
      expect(one((await doctor()).findings, "RECORD_UNREADABLE").what).toContain(`key ${ids.key}`);
    });

    it("finds keys and APIs that somebody has deleted, but not what Keywarden has", async () => {
      tamper(`DELETE FROM tokens WHERE key_id = '${ids.key}'`, `DELETE FROM keys WHERE id = '${ids.key}'`);
      expect(one((await doctor()).findings, "RECORD_MISSING").what).toBe(
        `1 are in the audit, and not there: key ${ids.key}`,
      );
    });

    it("finds a key whose token somebody has deleted", async () => {
      tamper(`DELETE FROM tokens WHERE key_id = '${ids.other}' AND generation = 2`);
      expect(one((await doctor()).findings, "TOKEN_MISSING").what).toContain(`key ${ids.other}`);
    });
  });

  describe("of the audit", () => {
    it.each([
      ["AUDIT_EDITED", "UPDATE audit_events SET actor_kind = 'SYSTEM', time = time - 1 WHERE revision = 3"],
      ["AUDIT_MISSING", "DELETE FROM audit_events WHERE revision = 4"],
      ["AUDIT_TRUNCATED", "DELETE FROM audit_events WHERE revision = 9"],
      ["AUDIT_FORGED", "UPDATE audit_head SET revision = 8"],
      ["AUDIT_RECORDS", "DELETE FROM keys"],
    ])("finds %s after %s", async (code, statement) => {
      tamper(statement);
      const { findings } = await doctor();
      expect(findings.filter((finding) => finding.code === code).length).toBeGreaterThan(0);
      made.add(code);
    });
  });

  describe("of the administrators", () => {
    it("finds one that has expired", async () => {
      expect(
        one((await doctor([], { now: () => Date.now() + DAY })).findings, "CREDENTIAL_EXPIRED").severity,
      ).toBe("note");
    });

    it("finds that the last will expire soon, and that there is none any more", async () => {
      const server = await start();
      const expiration = { case: "ttl", value: { seconds: BigInt(3 * 86_400) } } as const;
      await server.adminClient().updateKey({ key: { keyId: ids.administrator, expiration } });
      await server.stop();
      one((await doctor()).findings, "LAST_ADMINISTRATOR_EXPIRES");
      const none = await doctor([], { now: () => Date.now() + 4 * DAY });
      expect(one(none.findings, "NO_ADMINISTRATOR").next).toContain("keywarden admin reset");
      expect(none.code).toBe(1);
    });
  });
}
