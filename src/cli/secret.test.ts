import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keywarden, type Surroundings } from "../../test/support/command-line.ts";
import { loadKeyring } from "../adapters/secrets/load-keyring.ts";
import { forgetSecret, listSecrets, rotateSecret } from "../adapters/secrets/secret-changes.ts";
import type { SecretUse } from "../domain/keyring.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import { readMachineSettings } from "../settings.ts";

let directory: string;
let store: string;
/** What the store says that its records were made with. */
let uses: readonly SecretUse[] | KeywardenError;
/** The first pepper and seal key. */
let first: readonly string[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "keywarden-secret-"));
  store = `sqlite:${join(directory, "keywarden.db")}`;
  uses = [];
  const { peppers, sealKeys } = await loadKeyring(readMachineSettings({ store }, {}), {
    pepperIds: [],
    sealKeyIds: [],
  });
  first = [peppers[0].id, sealKeys[0].id];
});
afterEach(() => rmSync(directory, { recursive: true }));

async function secret(args: readonly string[], surroundings: Surroundings = {}) {
  const before = secretTexts();
  const outcome = await keywarden(["secret", ...args, "--store", store], {
    machine: {
      secrets: {
        list: (sources) => listSecrets(sources, { ...surroundings.variables }),
        rotate: async (kind, path) => rotateSecret(kind, path),
        forget: async (kind, path, id) => forgetSecret(kind, path, id),
      },
      usedSecrets: async () => {
        if (uses instanceof Error) throw uses;
        return uses;
      },
    },
    ...surroundings,
  });
  for (const text of [...before, ...secretTexts()])
    expect(outcome.stdout + outcome.stderr).not.toContain(text);
  return outcome;
}

const secretTexts = () =>
  ["pepper", "seal-key"].flatMap((name) => readFileSync(join(directory, name), "utf8").trim().split("\n"));

const listed = async (): Promise<{ secrets: { kind: string; id: string; current: boolean }[] }> =>
  JSON.parse((await secret(["list", "--json"])).stdout);

const idsOf = async (kind: string) =>
  (await listed()).secrets.filter((one) => one.kind === kind).map(({ id }) => id);

describe("secret list", () => {
  it("shows ids, which of them are current, and where they come from", async () => {
    const { code, stdout } = await secret(["list"]);
    expect(code).toBe(0);
    expect(stdout.split("\n")[0]).toMatch(/^KIND +ID +STATE +SOURCE$/);
    expect(stdout).toMatch(new RegExp(`pepper +${first[0]} +current +${join(directory, "pepper")}`));
    expect(stdout).toMatch(new RegExp(`seal-key +${first[1]} +current +${join(directory, "seal-key")}`));
    expect(await listed()).toEqual({
      secrets: [
        { kind: "pepper", id: first[0], current: true, source: join(directory, "pepper") },
        { kind: "seal-key", id: first[1], current: true, source: join(directory, "seal-key") },
      ],
    });
  });

  it("ends with 2 and the reason where a start would be refused", async () => {
    const { code, stdout, stderr } = await secret(["list", "--pepper", "env:NOT_SET"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("KEYWARDEN_PEPPER");
  });
});

describe("secret rotate", () => {
  it("makes a new current one and says what to do next", async () => {
    const { code, stdout } = await secret(["rotate", "pepper"]);
    const [made, former] = await idsOf("pepper");
    expect({ code, former }).toEqual({ code: 0, former: first[0] });
    expect(stdout).toContain(`Made pepper ${made} in ${join(directory, "pepper")}`);
    expect(stdout).toContain(`Still known: ${first[0]}`);
    expect(stdout).toMatch(/Start the server again.*\n.*keywarden doctor.*\n.*keywarden secret forget /);
    expect(stdout).toContain(`keywarden secret forget ${first[0]}`);
    expect(await idsOf("seal-key")).toEqual([first[1]]);
  });

  it("prints the same for programs", async () => {
    const { stdout } = await secret(["rotate", "seal-key", "--json"]);
    const [id] = await idsOf("seal-key");
    expect(JSON.parse(stdout)).toEqual({
      kind: "seal-key",
      id,
      former: [first[1]],
      source: join(directory, "seal-key"),
    });
  });

  it.each(["env:PEPPER", "command:vault read pepper"])("leaves %s to where it comes from", async (source) => {
    const { code, stderr } = await secret(["rotate", "pepper", "--pepper", source]);
    expect({ code, says: stderr.includes("openssl rand -base64 32") }).toEqual({ code: 2, says: true });
    expect(stderr).not.toContain("read pepper");
  });

  it("knows two kinds", async () => {
    const { code, stderr } = await secret(["rotate", "salt"]);
    expect({ code, says: stderr.includes("pepper, seal-key") }).toEqual({ code: 2, says: true });
  });
});

describe("secret forget", () => {
  let former: string;
  beforeEach(async () => {
    await secret(["rotate", "pepper"]);
    former = first[0]!;
  });

  it("removes a former one that nothing uses any more", async () => {
    uses = [
      { kind: "pepper", id: former, records: 0 },
      { kind: "seal-key", id: former, records: 3 },
    ];
    const { code, stdout } = await secret(["forget", former, "--yes"]);
    const [current, ...others] = await idsOf("pepper");
    expect({ code, others }).toEqual({ code: 0, others: [] });
    expect(stdout).toContain(`Removed pepper ${former}`);
    expect(stdout).toContain(`Still known: ${current}`);
  });

  it("prints the same for programs", async () => {
    const { stdout } = await secret(["forget", former, "--yes", "--json"]);
    expect(JSON.parse(stdout)).toEqual({
      kind: "pepper",
      id: former,
      remaining: await idsOf("pepper"),
      source: join(directory, "pepper"),
    });
  });

  it("asks first, and says what it means for backups", async () => {
    const declined = await secret(["forget", former], { terminal: true, answer: async () => "n" });
    expect(declined).toMatchObject({ code: 2, stderr: expect.stringMatching(/Backups.*\[y\/N\]/s) });
    expect(await idsOf("pepper")).toContain(former);
    const { code } = await secret(["forget", former], { terminal: true, answer: async () => "y" });
    expect({ code, ids: await idsOf("pepper") }).toEqual({
      code: 0,
      ids: [expect.not.stringMatching(former)],
    });
    expect(await secret(["forget", former])).toMatchObject({ code: 2 });
  });

  it("is refused while the store uses it, with how much", async () => {
    uses = [{ kind: "pepper", id: former, records: 17 }];
    const { code, stderr } = await secret(["forget", former, "--yes"]);
    expect(code).toBe(2);
    expect(stderr).toContain(`17 records in ${join(directory, "keywarden.db")} still use pepper ${former}`);
    expect(await idsOf("pepper")).toContain(former);
  });

  it("is refused where nobody knows what the store uses", async () => {
    uses = new KeywardenError({ status: "FAILED_PRECONDITION", reason: "X", message: "there is no store" });
    const { code, stderr } = await secret(["forget", former, "--yes"]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: "error: there is no store\n" });
    expect(await idsOf("pepper")).toContain(former);
  });

  it("is refused for the current one and for one that nobody knows", async () => {
    const [current = ""] = await idsOf("pepper");
    const refused = await secret(["forget", current, "--yes"]);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("secret rotate pepper") });
    const unknown = await secret(["forget", "0badcafe", "--yes"]);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining("no secret has this id") });
  });
});
