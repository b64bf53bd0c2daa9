import { X509Certificate } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import type { Host } from "../../../src/machine/doctor-host.ts";
import { createTestAuthority } from "../../support/certificates.ts";
import { DAY, type DoctorSubject, FRESH } from "./doctor-subject.ts";

/** What the doctor finds wrong with the files for TLS. */
export function describeTlsFiles({ doctor, one, path, place, start }: DoctorSubject): void {
  describe("of the files for TLS", () => {
    const put = (name: string, content: string) => writeFileSync(path(name), content);
    let authority: Awaited<ReturnType<typeof createTestAuthority>>;
    let end: number;
    beforeEach(async () => {
      authority = await createTestAuthority(new Date(Date.now() + 60 * DAY));
      const { cert, key } = await authority.issue({ until: new Date(Date.now() + 30 * DAY) });
      put("cert.pem", cert);
      put("key.pem", key);
      put("ca.pem", authority.cert);
      put("callers.yaml", "- san: DNS:orders.example\n");
      end = new X509Certificate(cert).validToDate.getTime();
    });

    const FILES = {
      "tls-cert": "cert.pem",
      "tls-key": "key.pem",
      "tls-client-ca": "ca.pem",
      "tls-callers": "callers.yaml",
    };
    const flags = () => Object.entries(FILES).flatMap(([flag, name]) => [`--${flag}`, path(name)]);
    const look = (host: Partial<Host> = {}) => doctor(flags(), host);

    it("finds nothing where a server would start", async () => {
      expect((await look()).findings.map((finding) => finding.code)).toEqual(FRESH);
    });

    it("finds a certificate that will end soon, has ended, or is not valid yet", async () => {
      expect(one((await look({ now: () => end - DAY })).findings, "CERTIFICATE_EXPIRES").severity).toBe(
        "warning",
      );
      one((await look({ now: () => end })).findings, "TLS_EXPIRED");
      one((await look({ now: () => 0 })).findings, "TLS_NOT_YET_VALID");
    });

    it.each<[string, string, () => void | Promise<void>]>([
      ["a certificate that can't be read", "TLS_UNREADABLE", () => put("cert.pem", "no")],
      [
        "a key that is another certificate's",
        "TLS_MISMATCH",
        async () => put("key.pem", (await authority.issue()).key),
      ],
      ["a key that is missing", "TLS_UNREADABLE", () => rmSync(path("key.pem"))],
      ["authorities of clients that can't be read", "TLS_UNREADABLE", () => put("ca.pem", "no")],
      [
        "a list of callers with a mistake",
        "TLS_CALLERS_INVALID",
        () => put("callers.yaml", "- san: *.example.com"),
      ],
      ["a list of callers that is missing", "TLS_UNREADABLE", () => rmSync(path("callers.yaml"))],
    ])("finds %s, as a server does", async (_what, code, spoil) => {
      await spoil();
      const { code: exit, findings } = await look();
      expect(exit).toBe(1);
      const { what } = one(findings, code);
      const store = place.path("other");
      await expect(start({ directory: store, flags: flags() })).rejects.toThrow(what);
    });

    it("finds it also where the variables say where they are, and another setting is refused", async () => {
      put("callers.yaml", "- {}");
      const variables = Object.fromEntries(
        Object.entries(FILES).map(([flag, name]) => [
          `KEYWARDEN_${flag.replaceAll("-", "_").toUpperCase()}`,
          path(name),
        ]),
      );
      const store = { KEYWARDEN_STORE: `sqlite:${path("keywarden.db")}` };
      const { findings } = await doctor(
        ["--cache-size", "no"],
        {},
        { variables: { ...variables, ...store } },
      );
      expect(one(findings, "SETTINGS_REFUSED").what).toContain("--cache-size");
      expect(one(findings, "TLS_CALLERS_INVALID").what).toContain(path("callers.yaml"));
    });
  });
}
