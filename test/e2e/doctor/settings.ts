import { describe, expect, it } from "vitest";
import type { DoctorSubject } from "./doctor-subject.ts";

/** What the doctor finds wrong with the settings. */
export function describeSettings({ doctor, one, path }: DoctorSubject): void {
  describe("of the settings", () => {
    const variables = (more: Record<string, string>) => ({
      variables: { KEYWARDEN_STORE: `sqlite:${path("keywarden.db")}`, ...more },
    });

    it("finds those that a server refuses, and looks at the rest all the same", async () => {
      const { code, findings, examination } = await doctor(
        ["--grpc", "0.0.0.0:1"],
        {},
        variables({ KEYWARDEN_TYPO: "1" }),
      );
      expect(code).toBe(1);
      expect(one(findings, "SETTINGS_REFUSED").what).toContain("KEYWARDEN_TYPO");
      expect(examination.store.content.keys).toBe(4);
    });

    it("finds those that only the command line refuses", async () => {
      const { code, findings } = await doctor([], {}, variables({ KEYWARDEN_TIMEOUT: "soon" }));
      expect(one(findings, "CLIENT_SETTINGS_REFUSED")).toMatchObject({ severity: "warning" });
      expect(code).toBe(0);
    });

    it("finds a variable that a flag overrides", async () => {
      const { findings } = await doctor(
        ["--cache-size", "10"],
        {},
        variables({ KEYWARDEN_CACHE_SIZE: "20" }),
      );
      expect(one(findings, "SETTING_OVERRIDDEN").what).toContain("--cache-size and KEYWARDEN_CACHE_SIZE");
    });

    it.each(["--grpc", "--http", "--admin-grpc", "--admin-http"])(
      "finds that others reach %s without encryption",
      async (flag) => {
        const { findings } = await doctor([flag, "0.0.0.0:50055", "--insecure-plaintext"]);
        const finding = one(findings, "PLAINTEXT_LISTENER");
        expect(finding.severity).toBe("warning");
        expect(finding.what).toContain(`${flag} 0.0.0.0:50055`);
      },
    );
  });
}
