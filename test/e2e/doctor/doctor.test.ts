import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { treeOf } from "../../faults/store-open-attempt.ts";
import { doctorSubject, FRESH } from "./doctor-subject.ts";
import { describeMachine } from "./machine.ts";
import { describeRecords } from "./records.ts";
import { describeSecrets } from "./secrets.ts";
import { describeSettings } from "./settings.ts";
import { describeTlsFiles } from "./tls-files.ts";

const subject = doctorSubject();
const { cli, doctor, made, one, path, start } = subject;

it("finds nothing wrong with a sound store, ends with 0, and changes nothing", async () => {
  const before = treeOf(path());
  const { code, findings, examination } = await doctor();
  expect(code).toBe(0);
  expect(findings.map((finding) => finding.code)).toEqual(FRESH);
  for (const fresh of FRESH) expect(one(findings, fresh).severity).toBe("note");
  expect(examination).toMatchObject({
    store: { content: { apis: 2, keys: 4, tokens: 5, auditEvents: 9 }, revision: 9 },
    secrets: [
      { kind: "pepper", state: "current", records: 5 },
      { kind: "seal-key", state: "current", records: 12 },
    ],
    versions: { node: process.versions.node },
  });
  expect(treeOf(path())).toEqual(before);
});

it("looks while a server runs, also thoroughly", async () => {
  const server = await start();
  const { code, findings } = await doctor(["--thorough"]);
  expect(findings.map((finding) => finding.code)).toEqual(FRESH);
  expect(code).toBe(0);
  expect(await server.stop()).toBe(0);
});

it("says to people what it has found, a line each, with its colours on a terminal only", async () => {
  chmodSync(path("admin-token"), 0o644);
  const plain = await cli(["doctor"]);
  expect(plain.code).toBe(1);
  expect(plain.stdout).toContain(
    `error    EXPOSED: others on this machine may read ${path("admin-token")}. Run: chmod 600 ${path("admin-token")}.\n`,
  );
  expect(plain.stdout).toMatch(/1 error, \d warnings?, 3 notes\n$/);
  expect(plain.stdout).not.toContain("\u001b");
  const terminal = await cli(["doctor", "--no-color"], { terminal: true });
  expect(terminal.stdout).not.toContain("\u001b");
});

it("never says a token or a secret", async () => {
  const { examination } = await doctor();
  const printed = JSON.stringify(examination);
  for (const secret of ["admin-token", "pepper", "seal-key"]) {
    expect(printed).not.toContain(readFileSync(path(secret), "utf8").trim());
  }
});

describeSettings(subject);
describeTlsFiles(subject);
describeMachine(subject);
describeSecrets(subject);
describeRecords(subject);

it("what can be found is what docs/operations.md says, and each was found here", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/operations.md"), "utf8");
  const [, section = ""] = page.split("\n## Doctor\n");
  const table = section.split("\n## ")[0] ?? "";
  const told = [...table.matchAll(/`([A-Z]+(?:_[A-Z]+)+|EXPOSED)`/g)].map(([, code]) => code);
  expect([...made].toSorted()).toEqual([...new Set(told)].toSorted());
});
