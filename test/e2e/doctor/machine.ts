import {
  chmodSync,
  chownSync,
  cpSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, it } from "vitest";
import { hostFindings } from "../../../src/machine/doctor-host.ts";
import { DAY, type DoctorSubject, SOUND } from "./doctor-subject.ts";

/** What the doctor finds wrong with files, disk, clock and programs of the machine. */
export function describeMachine({ doctor, one, path }: DoctorSubject): void {
  describe("of the files", () => {
    it.each([
      ["", 0o722, "error", "write"],
      ["", 0o755, "warning", "read"],
      ["keywarden.db", 0o620, "error", "write"],
      ["keywarden.db", 0o640, "warning", "read"],
      ["admin-token", 0o604, "error", "read"],
    ])("finds that %j is open to others (%o)", async (name, mode, severity, how) => {
      chmodSync(path(name), mode);
      const { findings } = await doctor();
      const finding = one(findings, "EXPOSED");
      expect(finding).toMatchObject({ severity });
      expect(finding.what).toContain(`may ${how}`);
    });

    it("says of a directory that is shared with the server's own group no more than that: Kubernetes does so", async () => {
      const own = process.getgid?.() ?? -1;
      const share = (group: number) => {
        for (const name of ["", ...readdirSync(path())]) {
          chownSync(path(name), -1, group);
          chmodSync(path(name), name === "" ? 0o2770 : 0o660);
        }
      };
      share(own);
      const { code, findings } = await doctor();
      expect(code).toBe(0);
      expect(one(findings, "SHARED_WITH_GROUP")).toMatchObject({
        severity: "note",
        what: expect.stringContaining(`group ${own} may use ${path()}`),
      });
      expect(findings.map((finding) => finding.code)).not.toContain("EXPOSED");
      expect(findings.map((finding) => finding.code)).not.toContain("ANOTHER_OWNER");
      chmodSync(path(), 0o770);
      expect((await doctor()).code).toBe(1);
      if (process.getuid?.() !== 0) {
        console.warn("NOT TRIED: a directory that is shared with a foreign group. It takes root.");
        return;
      }
      // As kubelet sets a volume up: the directory is root's, and the files the server's.
      share(own);
      for (const name of readdirSync(path())) chownSync(path(name), 65_534, own);
      const inPod = await doctor();
      expect(inPod.code).toBe(0);
      expect(inPod.findings.map((finding) => finding.code)).not.toContain("ANOTHER_OWNER");
      share(65_534);
      expect((await doctor()).code).toBe(1);
    });

    it("finds a file of another user", async () => {
      // Only root can give a file away; others have one that is root's.
      if (process.getuid?.() === 0) chownSync(path("keywarden.db.lock"), 65_534, 65_534);
      else {
        rmSync(path("keywarden.db.lock"));
        symlinkSync("/etc/passwd", path("keywarden.db.lock"));
      }
      expect(one((await doctor()).findings, "ANOTHER_OWNER").next).toContain("chown");
    });

    it("finds a disk with little room, and one with none", async () => {
      expect(one((await doctor([], { freeBytes: () => 100e6 })).findings, "DISK_LOW").severity).toBe(
        "warning",
      );
      expect(one((await doctor([], { freeBytes: () => 1e6 })).findings, "DISK_FULL").severity).toBe("error");
    });

    it("finds a log that was not written back for long", async () => {
      writeFileSync(path("keywarden.db-wal"), "", { mode: 0o600 });
      truncateSync(path("keywarden.db-wal"), 200 * 1024 * 1024);
      expect(one((await doctor()).findings, "LOG_LONG").what).toContain("200 MB");
    });

    it("finds what a restore has left", async () => {
      cpSync(path("keywarden.db"), path("keywarden.db.replaced-2027-01-31T00-00-00-000Z"));
      expect(one((await doctor()).findings, "LEFT_OVER").what).toContain("replaced-2027");
    });
  });

  describe("of the machine", () => {
    it("finds a clock that is behind what was written, and one that nobody synchronises", async () => {
      const { code, findings } = await doctor([], {
        now: () => Date.now() - DAY,
        isClockSynchronised: async () => false,
      });
      expect(code).toBe(1);
      one(findings, "CLOCK_BEHIND");
      one(findings, "CLOCK_NOT_SYNCHRONISED");
    });

    it("finds an old Node.js, and an SQLite that can corrupt a database", async () => {
      one((await doctor([], { node: "22.1.0" })).findings, "NODE_OLD");
      one(await hostFindings(SOUND, "3.51.2"), "SQLITE_OLD");
      expect(await hostFindings(SOUND, "3.51.3")).toEqual([]);
    });
  });
}
