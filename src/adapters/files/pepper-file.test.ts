import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/support/keywarden-process.ts";
import type { PepperId } from "../../domain/digest.ts";
import { loadPepper } from "./pepper-file.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, "pepper");
});
afterEach(() => directory.remove());

function refusalOf(stored: readonly string[] = []): unknown {
  try {
    loadPepper(path, stored as PepperId[]);
    return undefined;
  } catch (error) {
    return error;
  }
}

it("makes a pepper for a new store, which only its owner can read, and finds it again", () => {
  const made = loadPepper(path, []);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory.path)).toEqual(["pepper"]);
  expect(Buffer.from(readFileSync(path, "utf8"), "base64")).toHaveLength(32);
  expect(loadPepper(path, [made.id]).id).toBe(made.id);
});

it("makes it with that mode even where somebody has left an open file in its way", () => {
  writeFileSync(`${path}.new`, "", { mode: 0o666 });
  chmodSync(`${path}.new`, 0o666);
  loadPepper(path, []);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it("makes none for a store that was made with another, which is lost", () => {
  expect(refusalOf(["0badcafe"])).toMatchObject({ status: "FAILED_PRECONDITION", reason: "PEPPER_MISSING" });
  expect(readdirSync(directory.path)).toEqual([]);
});

it("refuses the pepper of another store by name", () => {
  const { id } = loadPepper(path, []);
  expect(refusalOf(["0badcafe"])).toMatchObject({
    reason: "PEPPER_WRONG",
    message: expect.stringMatching(new RegExp(`${id}.*0badcafe`)),
  });
});

it("refuses a file that everyone on the machine can open", () => {
  const { id } = loadPepper(path, []);
  chmodSync(path, 0o604);
  expect(refusalOf([id])).toMatchObject({
    reason: "PEPPER_EXPOSED",
    message: expect.stringContaining("chmod 600"),
  });
});

it("refuses what is no pepper, and never says what it found", () => {
  const long = Buffer.alloc(33, 7).toString("base64");
  for (const content of ["", "secret words", long, `${Buffer.alloc(32, 7).toString("base64")} more`]) {
    writeFileSync(path, content, { mode: 0o600 });
    const error = refusalOf();
    expect(error).toMatchObject({ reason: "PEPPER_UNREADABLE" });
    if (content !== "") expect(String(error)).not.toContain(content);
  }
});

it("refuses a path that cannot be read as a file", () => {
  path = directory.path;
  chmodSync(path, 0o700);
  expect(refusalOf()).toMatchObject({ reason: "PEPPER_UNREADABLE" });
});
