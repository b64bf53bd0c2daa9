import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { type WatchedFiles, watchFiles } from "./watched-files.ts";

let directory: string;
let watched: WatchedFiles<string> | undefined;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "keywarden-watch-"));
});
afterEach(() => {
  watched?.close();
  rmSync(directory, { recursive: true });
});

/** Watches the two files; what it tells can be awaited one after the other. */
function watch(intervalMs = 5, fallback?: string) {
  const seen: string[] = [];
  const told: string[] = [];
  const waiting: ((event: string) => void)[] = [];
  const tell = (event: string) => {
    seen.push(event);
    const next = waiting.shift();
    if (next === undefined) told.push(event);
    else next(event);
  };
  watched = watchFiles({
    files: ["a", "b"].map((name) => ({ setting: `--${name}`, path: join(directory, name) })),
    parse: (contents) => {
      if (contents.includes("bad")) {
        throw new KeywardenError({ status: "FAILED_PRECONDITION", reason: "BAD", message: "bad" });
      }
      if (contents.includes("surprising")) throw new ReferenceError("nobody foresaw it");
      return contents.join(" ");
    },
    onChanged: (value) => tell(`changed ${value}`),
    onProblem: ({ reason, message }) => tell(`problem ${reason} ${message}`),
    intervalMs,
    fallback,
  });
  const next = () =>
    new Promise<string>((resolve) => {
      const event = told.shift();
      if (event === undefined) waiting.push(resolve);
      else resolve(event);
    });
  return { first: watched.first, look: watched.look, seen, next };
}

const write = (name: string, content: string) => writeFileSync(join(directory, name), content);

/** Two good files, and what watches them. */
function watchGood(intervalMs?: number) {
  write("a", "1");
  write("b", "1");
  return watch(intervalMs);
}

it("reads files written in place and renamed over", async () => {
  const { first, next } = watchGood();
  expect(first).toBe("1 1");
  write("a", "2");
  expect(await next()).toBe("changed 2 1");
  write("b.new", "2");
  renameSync(join(directory, "b.new"), join(directory, "b"));
  expect(await next()).toBe("changed 2 2");
});

it("reads files behind a symbolic link that is swapped, as Kubernetes does", async () => {
  const put = (version: string) => {
    mkdirSync(join(directory, version));
    write(`${version}/a`, version);
    write(`${version}/b`, version);
    symlinkSync(version, join(directory, "..data_new"));
    renameSync(join(directory, "..data_new"), join(directory, "..data"));
  };
  put("v1");
  symlinkSync("..data/a", join(directory, "a"));
  symlinkSync("..data/b", join(directory, "b"));
  const { next } = watch();
  put("v2");
  expect(await next()).toBe("changed v2 v2");
  rmSync(join(directory, "v1"), { recursive: true });
  put("v3");
  expect(await next()).toBe("changed v3 v3");
});

it("does not read files that are still being replaced", async () => {
  const { seen, look } = watchGood(60_000);
  write("a", "2");
  await look();
  write("b", "2");
  await look();
  expect(seen).toEqual([]);
  await look();
  expect(seen).toEqual(["changed 2 2"]);
  await look();
  expect(seen).toEqual(["changed 2 2"]);
});

it("tells of each bad state once, and goes on", async () => {
  const { next } = watchGood();
  write("a", "bad");
  expect(await next()).toBe("problem BAD bad");
  rmSync(join(directory, "a"));
  expect(await next()).toMatch(/^problem TLS_UNREADABLE --a .* does not exist: give a file in PEM format$/);
  write("a", "3");
  expect(await next()).toBe("changed 3 1");
  write("a", "1");
  expect(await next()).toBe("changed 1 1");
});

it("goes on after contents that its reader has not foreseen, and tells of them too", async () => {
  const { seen, look } = watchGood(60_000);
  write("a", "surprising");
  await look();
  await look();
  write("a", "2");
  await look();
  await look();
  expect(seen).toEqual([
    expect.stringMatching(/^problem TLS_UNREADABLE --a .* and --b .* cannot be used: nobody foresaw it$/),
    "changed 2 1",
  ]);
  write("a", "surprising");
  watched?.close();
  expect(watch(60_000, "before").first).toBe("before");
  expect(() => watch()).toThrow(expect.objectContaining({ reason: "TLS_UNREADABLE" }));
});

it("starts with what somebody else has read before, where the files can't be used now", async () => {
  const none = watch(60_000, "before");
  expect([none.first, none.seen]).toEqual([
    "before",
    [expect.stringMatching(/^problem TLS_UNREADABLE --a /)],
  ]);
  write("a", "bad");
  write("b", "1");
  watched?.close();
  const { first, seen, look } = watch(60_000, "before");
  expect([first, seen]).toEqual(["before", ["problem BAD bad"]]);
  await look();
  write("a", "1");
  await look();
  await look();
  expect(seen).toEqual(["problem BAD bad", "changed 1 1"]);
  watched?.close();
  expect(watch(60_000, "before").first).toBe("1 1");
});

it("refuses at once what can't be read at the start", () => {
  expect(() => watch()).toThrow(expect.objectContaining({ reason: "TLS_UNREADABLE" }));
  write("a", "1");
  mkdirSync(join(directory, "b"));
  expect(() => watch()).toThrow(/--b .* is not a regular file/);
  rmSync(join(directory, "b"), { recursive: true });
  write("b", "x".repeat(2 * 1024 * 1024));
  expect(() => watch()).toThrow(/--b .* has more than 1048576 bytes/);
  write("b", "bad");
  expect(() => watch()).toThrow("bad");
});
