import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs, {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/support/keywarden-process.ts";
import { createPepper } from "../../domain/digest.ts";
import type { FileSteps } from "../files/replace-file.ts";
import { forgetSecret, listSecrets, rotateSecret } from "./secret-changes.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
const newSecret = () => randomBytes(32).toString("base64");
const idOf = (secret: string) => createPepper(Buffer.from(secret, "base64")).id;
const content = () => readFileSync(path, "utf8");

beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, "pepper");
});
afterEach(() => directory.remove());

function refusalOf(change: () => unknown): { reason?: string; message?: string } {
  try {
    change();
    return {};
  } catch (error) {
    const { reason, message } = error as Error & { reason: string };
    return { reason, message };
  }
}

const reasonOf = (change: () => unknown) => refusalOf(change).reason;

/** The text of a file with these secrets. */
function write(...secrets: string[]): string {
  const text = `# ours\n${secrets.join("\n")}\n`;
  writeFileSync(path, text, { mode: 0o600 });
  return text;
}

describe("a rotation", () => {
  it("puts a new secret first, and leaves everything else as it was", () => {
    const [current, former] = [newSecret(), newSecret()];
    const text = write(current, former);
    const secrets = rotateSecret("pepper", path);
    expect(content().endsWith(text)).toBe(true);
    const made = content().slice(0, -text.length);
    expect(made).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
    expect(secrets).toEqual([
      { kind: "pepper", id: idOf(made), isCurrent: true },
      { kind: "pepper", id: idOf(current), isCurrent: false },
      { kind: "pepper", id: idOf(former), isCurrent: false },
    ]);
    expect(idOf(made)).not.toBe(idOf(current));
  });

  it("keeps the mode, and a symbolic link to the file", () => {
    write(newSecret());
    chmodSync(path, 0o440);
    const link = join(directory.path, "link");
    symlinkSync("pepper", link);
    rotateSecret("pepper", link);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o440);
    expect(content().split("\n")).toHaveLength(4);
    expect(readdirSync(directory.path).toSorted()).toEqual(["link", "pepper"]);
  });

  it("keeps the owner", () => {
    const isRoot = process.getuid?.() === 0;
    if (!isRoot) console.warn("not root: this file can't be given to another owner, which is not tested");
    const owner = isRoot ? { uid: 1234, gid: 5678 } : { uid: process.getuid!(), gid: process.getgid!() };
    write(newSecret());
    fs.chownSync(path, owner.uid, owner.gid);
    rotateSecret("seal-key", path);
    expect(statSync(path)).toMatchObject(owner);
  });

  it("is not made of what a start would refuse", () => {
    expect(reasonOf(() => rotateSecret("pepper", path))).toBe("PEPPER_MISSING");
    expect(reasonOf(() => rotateSecret("seal-key", path))).toBe("SEAL_KEY_MISSING");
    writeFileSync(path, "no secret", { mode: 0o600 });
    expect(reasonOf(() => rotateSecret("pepper", path))).toBe("PEPPER_UNREADABLE");
    write(newSecret());
    chmodSync(path, 0o644);
    expect(reasonOf(() => rotateSecret("pepper", path))).toBe("PEPPER_EXPOSED");
    expect(readdirSync(directory.path)).toEqual(["pepper"]);
  });

  it("stops before a file that a start would refuse for having too many", () => {
    write(newSecret());
    for (let count = 1; count < 16; count++) rotateSecret("pepper", path);
    expect(reasonOf(() => rotateSecret("pepper", path))).toBe("TOO_MANY_SECRETS");
  });

  it("waits for nobody: one that is under way, or was interrupted, is told with what to do", () => {
    const text = write(newSecret());
    writeFileSync(`${path}.new`, "");
    expect(refusalOf(() => rotateSecret("pepper", path))).toEqual({
      reason: "SECRETS_NOT_WRITTEN",
      message: expect.stringContaining(`${path}.new exists`),
    });
    expect(content()).toBe(text);
    expect(existsSync(`${path}.new`)).toBe(true);
  });
});

describe("forgetting", () => {
  it("takes out the one line, and leaves everything else as it was", () => {
    const [current, former, oldest] = [newSecret(), newSecret(), newSecret()];
    writeFileSync(path, `${current}\n# from May\n ${former}\r\n\n# oldest\n${oldest}`, { mode: 0o600 });
    expect(forgetSecret("pepper", path, idOf(former)).map(({ id }) => id)).toEqual(
      [current, oldest].map(idOf),
    );
    expect(content()).toBe(`${current}\n# from May\n\n# oldest\n${oldest}`);
    forgetSecret("pepper", path, idOf(oldest));
    expect(content()).toBe(`${current}\n# from May\n\n# oldest\n`);
  });

  it("is refused for the current one and for one that is not there", () => {
    const [current, former] = [newSecret(), newSecret()];
    const text = write(current, former);
    expect(reasonOf(() => forgetSecret("pepper", path, idOf(current)))).toBe("SECRET_CURRENT");
    expect(reasonOf(() => forgetSecret("pepper", path, "0badcafe"))).toBe("SECRET_UNKNOWN");
    expect(reasonOf(() => forgetSecret("seal-key", path, idOf(former)))).toBe("SECRET_UNKNOWN");
    expect(content()).toBe(text);
  });
});

describe("a change that is cut short", () => {
  const NAMES = [
    "openSync",
    "fchmodSync",
    "writeFileSync",
    "fsyncSync",
    "closeSync",
    "renameSync",
  ] as const satisfies readonly (keyof FileSteps)[];

  it.each(NAMES)("by a failing %s leaves the file as it was, and nothing beside it", (name) => {
    const text = write(newSecret());
    const fail = () => {
      throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
    };
    expect(refusalOf(() => rotateSecret("pepper", path, { ...fs, [name]: fail }))).toEqual({
      reason: "SECRETS_NOT_WRITTEN",
      message: expect.stringContaining("ENOSPC"),
    });
    expect(content()).toBe(text);
    expect(readdirSync(directory.path)).toEqual(["pepper"]);
    expect(rotateSecret("pepper", path)).toHaveLength(2);
  });

  it.each(
    NAMES.flatMap((name) => [
      [name, "before"],
      [name, "after"],
    ]),
  )("by a kill of the process at %s, %s it, leaves the old file or the new one", (name, when) => {
    const text = write(newSecret());
    const modules = ["./secret-changes.ts", "node:fs"].map((module) => import.meta.resolve(module));
    const program = `
      const [{ rotateSecret }, { default: fs }] = await Promise.all(${JSON.stringify(modules)}.map((url) => import(url)));
      const kill = () => process.kill(process.pid, "SIGKILL");
      const step = (...args) => {
        if (${when === "before"}) kill();
        fs.${name}(...args);
        kill();
      };
      rotateSecret("pepper", ${JSON.stringify(path)}, { ...fs, ${name}: step });`;
    const { signal, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
    });
    expect({ signal, stderr }).toEqual({ signal: "SIGKILL", stderr: "" });
    const isRenamed = name === "renameSync" && when === "after";
    expect(content().endsWith(text)).toBe(true);
    expect(content().length - text.length).toBe(isRenamed ? 45 : 0);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});

it("a list has ids and never a secret, and asks for every kind", async () => {
  const [pepper, former, sealKey] = [newSecret(), newSecret(), newSecret()];
  write(pepper, former);
  const sources = {
    pepper: { kind: "file", path, madeWithStore: true },
    sealKey: { kind: "env", name: "SEAL_KEY" },
  } as const;
  const listed = await listSecrets(sources, { SEAL_KEY: sealKey });
  expect(listed.map(({ kind, isCurrent }) => [kind, isCurrent])).toEqual([
    ["pepper", true],
    ["pepper", false],
    ["seal-key", true],
  ]);
  for (const secret of [pepper, former, sealKey]) expect(JSON.stringify(listed)).not.toContain(secret);
  await expect(listSecrets(sources, {})).rejects.toMatchObject({ reason: "SEAL_KEY_MISSING" });
});
