import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { rotateSecret } from "../../../src/adapters/secrets/secret-changes.ts";
import type { DoctorSubject } from "./doctor-subject.ts";

/** What the doctor finds wrong with the secrets. */
export function describeSecrets({ cli, doctor, one, path, tamper }: DoctorSubject): void {
  describe("of the secrets", () => {
    it("finds that one is missing, and does not make it", async () => {
      rmSync(path("pepper"));
      const { code, findings, examination } = await doctor();
      expect(code).toBe(1);
      one(findings, "PEPPER_MISSING");
      one(findings, "SEALS_NOT_CHECKED");
      expect(examination.secrets[0].state).toBe("unchecked");
    });

    it("finds one that everyone can read", async () => {
      chmodSync(path("seal-key"), 0o604);
      expect(one((await doctor()).findings, "SEAL_KEY_EXPOSED").what).toContain("chmod 600");
    });

    it("shows how far a rotation has come", async () => {
      rotateSecret("pepper", path("pepper"));
      const { findings, examination } = await doctor();
      expect(one(findings, "ROTATION_UNFINISHED").what).toContain("5 tokens");
      expect(examination.secrets.slice(0, 2)).toMatchObject([
        { kind: "pepper", state: "current", records: 0 },
        { kind: "pepper", state: "former", records: 5 },
      ]);
    });

    it("keeps a former secret from being forgotten while records need it", async () => {
      const [, former] = rotateSecret("pepper", path("pepper"));
      const { code, stderr } = await cli(["secret", "forget", former!.id, "--yes"]);
      expect(code).toBe(2);
      expect(stderr).toContain("5 records");
    });

    it("finds a former secret that nothing needs any more", async () => {
      writeFileSync(
        path("seal-key"),
        `${readFileSync(path("seal-key"), "utf8")}${Buffer.alloc(32, 3).toString("base64")}\n`,
      );
      expect(one((await doctor()).findings, "SECRET_UNUSED").next).toContain("keywarden secret forget");
    });

    it("finds records that need one that is not at hand", async () => {
      tamper(
        "INSERT INTO peppers VALUES ('0badc0de')",
        `UPDATE tokens SET pepper_id = '0badc0de'`,
        "DELETE FROM peppers WHERE id = '0badc0de'",
      );
      const { findings } = await doctor();
      expect(one(findings, "SECRET_UNKNOWN").what).toContain(
        "pepper 0badc0de is not at hand, and 5 tokens digested with it",
      );
    });
  });
}
