import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/support/keywarden-process.ts";
import { createPepper, type PepperId } from "../../domain/digest.ts";
import type { SecretSource } from "../../domain/keyring.ts";
import { createSealKey, type SealKeyId } from "../../domain/seal.ts";
import { loadKeyring } from "./load-keyring.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
/** All that the tests have given away, and all that they were told. */
const secrets: string[] = [];
const said: string[] = [];

beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, "pepper");
});
afterEach(() => {
  directory.remove();
  for (const secret of secrets) {
    const parts = [secret, Buffer.from(secret, "base64").toString("hex"), secret.slice(4, 20)];
    if (said.some((text) => parts.some((part) => text.includes(part)))) throw new Error("a secret was told");
  }
});

function newSecret(): string {
  const secret = randomBytes(32).toString("base64");
  secrets.push(secret);
  return secret;
}

const pepperIdOf = (secret: string) => createPepper(Buffer.from(secret, "base64")).id;
const ownFile = (name: string): SecretSource => ({
  kind: "file",
  path: join(directory.path, name),
  madeWithStore: true,
});

interface Given {
  readonly pepper?: SecretSource;
  readonly sealKey?: SecretSource;
  readonly pepperIds?: readonly string[];
  readonly sealKeyIds?: readonly string[];
  readonly variables?: NodeJS.ProcessEnv;
}

function load({ pepper, sealKey, pepperIds = [], sealKeyIds = [], variables = {} }: Given = {}) {
  return loadKeyring(
    { pepper: pepper ?? ownFile("pepper"), sealKey: sealKey ?? ownFile("seal-key") },
    { pepperIds: pepperIds as PepperId[], sealKeyIds: sealKeyIds as SealKeyId[] },
    variables,
  );
}

async function refusalOf(given: Given = {}): Promise<{ reason: string; message: string }> {
  try {
    await load(given);
  } catch (error) {
    const { reason, message, cause } = error as Error & { reason: string };
    said.push(message, String(cause), JSON.stringify(error));
    expect(error).toMatchObject({ status: "FAILED_PRECONDITION" });
    return { reason, message };
  }
  return { reason: "none", message: "" };
}

function write(content: string, mode = 0o600): void {
  writeFileSync(path, content);
  chmodSync(path, mode);
}

describe("a new store", () => {
  it("gets a pepper and a seal key, which only its owner can read, and finds them again", async () => {
    const made = await load();
    expect(readdirSync(directory.path).toSorted()).toEqual(["pepper", "seal-key"]);
    for (const name of ["pepper", "seal-key"]) {
      expect(statSync(join(directory.path, name)).mode & 0o777).toBe(0o600);
      const text = readFileSync(join(directory.path, name), "utf8");
      expect(Buffer.from(text, "base64").toString("base64")).toBe(text.trim());
      expect(Buffer.from(text, "base64")).toHaveLength(32);
    }
    const [{ id: pepperId }] = made.peppers;
    const [{ id: sealKeyId }] = made.sealKeys;
    const found = await load({ pepperIds: [pepperId], sealKeyIds: [sealKeyId] });
    expect(found.peppers[0].key.equals(made.peppers[0].key)).toBe(true);
    expect(found.sealKeys[0].key.equals(made.sealKeys[0].key)).toBe(true);
  });

  it("gets files with that mode even where somebody has left an open one in their way", async () => {
    writeFileSync(`${path}.new`, "");
    chmodSync(`${path}.new`, 0o666);
    await load();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("gets none where somebody has named a file, a variable or a program", async () => {
    const missing = { kind: "file", path, madeWithStore: false } as const;
    for (const pepper of [missing, { kind: "env", name: "NOT_SET" } as const]) {
      expect(await refusalOf({ pepper })).toEqual({
        reason: "PEPPER_MISSING",
        message: expect.stringMatching(/openssl rand -base64 32.*--pepper \(KEYWARDEN_PEPPER\)/),
      });
    }
    expect(readdirSync(directory.path)).not.toContain("pepper");
  });

  it("gets none if the other kind is refused", async () => {
    const sealKey = { kind: "env", name: "NOT_SET" } as const;
    write("no secret");
    expect(await refusalOf({ sealKey })).toMatchObject({ reason: "PEPPER_UNREADABLE" });
    expect(readdirSync(directory.path)).toEqual(["pepper"]);
  });
});

describe("a store that was made with secrets", () => {
  it("is not opened without them, and the refusal names them and what to do", async () => {
    expect(await refusalOf({ pepperIds: ["0badcafe"] })).toEqual({
      reason: "PEPPER_MISSING",
      message: expect.stringMatching(/0badcafe.*Restore it from a backup/),
    });
    expect(await refusalOf({ sealKeyIds: ["0badcafe"] })).toEqual({
      reason: "SEAL_KEY_MISSING",
      message: expect.stringMatching(/0badcafe.*Restore it from a backup.*--seal-key/),
    });
    expect(readdirSync(directory.path)).not.toContain("seal-key");
  });

  it("is not opened with another one, and the refusal names both", async () => {
    const secret = newSecret();
    write(secret);
    expect(await refusalOf({ pepperIds: ["0badcafe", pepperIdOf(secret)] })).toEqual({
      reason: "PEPPER_WRONG",
      message: expect.stringMatching(new RegExp(`holds ${pepperIdOf(secret)}.* 0badcafe:`)),
    });
    const sealKey = newSecret();
    writeFileSync(join(directory.path, "seal-key"), sealKey, { mode: 0o600 });
    const { id } = createSealKey(Buffer.from(sealKey, "base64"));
    expect(await refusalOf({ sealKeyIds: ["0badcafe"] })).toEqual({
      reason: "SEAL_KEY_WRONG",
      message: expect.stringMatching(new RegExp(`holds ${id}.* 0badcafe:`)),
    });
  });

  it("is opened with the former ones below a new one, whatever stands between them", async () => {
    const [current, former, oldest] = [newSecret(), newSecret(), newSecret()];
    write(`# since March\n\n${current}\n  ${former}\t\r\n#${newSecret()}\n${oldest}`);
    const pepperIds = [pepperIdOf(oldest), pepperIdOf(former)];
    const { peppers } = await load({ pepperIds });
    expect(peppers.map(({ id }) => id)).toEqual([current, former, oldest].map(pepperIdOf));
  });
});

describe("a source is refused, with the line and never what is on it,", () => {
  const reasonFor = async (content: string) => {
    write(content);
    return refusalOf();
  };

  it.each([
    ["that is empty", "", "holds no secret"],
    ["of comments", "# nothing\n\n", "holds no secret"],
    ["of words", "\nsecret words", "line 2: it has 12 characters"],
    [
      "that is too long",
      Buffer.alloc(33, 7).toString("base64"),
      "line 1: these 44 characters are not 32 bytes",
    ],
    [
      "that is too short",
      Buffer.alloc(31, 7).toString("base64"),
      "line 1: these 44 characters are not 32 bytes",
    ],
    [
      "without its padding",
      Buffer.alloc(32, 7).toString("base64").slice(0, 43),
      "line 1: it has 43 characters",
    ],
    ["in base64url", Buffer.alloc(32, 0xff).toString("base64url"), "line 1: it has 43 characters"],
    ["with two on a line", `${Buffer.alloc(32, 7).toString("base64")} x`, "line 1: it has 46 characters"],
    ["that is not ASCII", `${"é".repeat(22)}`, "line 1: these 44 characters are not 32 bytes"],
    ["that is no canonical base64", `${"A".repeat(42)}B=`, "line 1: these 44 characters are not 32 bytes"],
  ])("%s", async (_what, content, words) => {
    const { reason, message } = await reasonFor(content);
    expect({ reason, message }).toEqual({
      reason: "PEPPER_UNREADABLE",
      message: expect.stringContaining(words),
    });
    if (content.trim().length > 8) expect(message).not.toContain(content.trim().slice(0, 20));
  });

  it("where one repeats another", async () => {
    const secret = newSecret();
    const { message } = await reasonFor(`${secret}\n# again\n${newSecret()}\n${secret}\n`);
    expect(message).toContain("line 4 repeats line 1");
  });

  it("where there are too many, or too much", async () => {
    const { message } = await reasonFor(`${Array.from({ length: 17 }, newSecret).join("\n")}\n`);
    expect(message).toContain("holds 17 secrets, and 16 is the most");
    expect((await reasonFor("#".repeat(64 * 1024 + 1))).message).toContain("larger than 65536 bytes");
  });
});

describe("a file", () => {
  it("that everyone on the machine can open is refused, with what to do", async () => {
    const secret = newSecret();
    for (const mode of [0o604, 0o602, 0o601, 0o644]) {
      write(secret, mode);
      expect(await refusalOf()).toEqual({
        reason: "PEPPER_EXPOSED",
        message: expect.stringContaining(`chmod 600 ${path}`),
      });
    }
  });

  it("that a group may read, as a mounted secret is, is fine, and so is a link to it", async () => {
    const secret = newSecret();
    write(secret, 0o440);
    symlinkSync(path, join(directory.path, "link"));
    const linked = { kind: "file", path: join(directory.path, "link"), madeWithStore: false } as const;
    expect((await load({ pepper: linked })).peppers[0].id).toBe(pepperIdOf(secret));
  });

  it("that is none is refused, and nobody waits for it", async () => {
    mkdirSync(path, { mode: 0o700 });
    const pipe = join(directory.path, "pipe");
    execFileSync("sh", ["-c", 'mkfifo -m 600 "$0"', pipe]);
    for (const place of [path, pipe]) {
      expect(await refusalOf({ pepper: { kind: "file", path: place, madeWithStore: true } })).toMatchObject({
        reason: "PEPPER_UNREADABLE",
        message: expect.stringContaining("is no file"),
      });
    }
    const beneath = { kind: "file", path: "/dev/null/pepper", madeWithStore: true } as const;
    expect(await refusalOf({ pepper: beneath })).toMatchObject({ reason: "PEPPER_UNREADABLE" });
  });
});

describe("a variable", () => {
  const pepper = { kind: "env", name: "PEPPER" } as const;
  const sealKey = { kind: "env", name: "SEAL_KEY" } as const;

  it("is read and gone, so that no program that is started later inherits it", async () => {
    const [current, former] = [newSecret(), newSecret()];
    const variables = { PEPPER: `${current}\n${former}`, SEAL_KEY: newSecret(), OTHER: "stays" };
    const { peppers } = await load({ pepper, sealKey, variables, pepperIds: [pepperIdOf(former)] });
    expect(peppers.map(({ id }) => id)).toEqual([current, former].map(pepperIdOf));
    expect(variables).toEqual({ OTHER: "stays" });
  });

  it("is gone as well if it is refused", async () => {
    const variables = { PEPPER: `${newSecret()}x` };
    expect(await refusalOf({ pepper, variables })).toEqual({
      reason: "PEPPER_UNREADABLE",
      message: expect.stringContaining("env:PEPPER, line 1: it has 45 characters"),
    });
    expect(variables).toEqual({});
  });

  it("is not inherited by the program that gives the other secret", async () => {
    const command = {
      kind: "command",
      program: process.execPath,
      args: ["-e", "console.log(process.env.SEAL_KEY??crypto.randomBytes(32).toString('base64'))"],
    } as const;
    const variables = { SEAL_KEY: newSecret() };
    expect(await refusalOf({ pepper: command, sealKey, variables })).toMatchObject({ reason: "none" });
  });
});

it("one secret for both purposes is refused", async () => {
  const secret = newSecret();
  write(secret);
  writeFileSync(join(directory.path, "seal-key"), secret, { mode: 0o600 });
  expect(await refusalOf()).toEqual({
    reason: "SEAL_KEY_WRONG",
    message: expect.stringContaining("is a pepper as well"),
  });
});
