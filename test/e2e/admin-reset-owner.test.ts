import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, readdirSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { placePerTest } from "../support/place-per-test.ts";

/* Whose the new admin token is, where the server has a user of its own. */

const ROOT = resolve(import.meta.dirname, "../..");
const place = placePerTest();
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("NOT TRIED: a reset where the server is another user. It takes root.");

const [UID, GID] = [65_534, 65_533];

/** `keywarden admin reset`, as this user. */
function reset(user: { readonly uid?: number; readonly gid?: number } = {}) {
  const args = ["src/main.ts", "admin", "reset", "--yes", "--store", `sqlite:${place.path("keywarden.db")}`];
  return spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8", ...user });
}

describe.runIf(isRoot)("where the server is another user", () => {
  beforeEach(async () => {
    await (await place.start()).stop();
    chmodSync(place.directory, 0o711);
    for (const name of [".", ...readdirSync(place.directory)]) chownSync(place.path(name), UID, GID);
  });

  it("a reset by root leaves that user all that it needs", () => {
    expect(reset()).toMatchObject({ status: 0 });
    for (const name of readdirSync(place.directory)) {
      const { uid, gid, mode } = statSync(place.path(name));
      expect([name, uid, gid, mode & 0o077]).toEqual([name, UID, GID, 0]);
    }
  });

  it("a reset by that user keeps the new token, though the store's group is one that it can't give to", () => {
    const former = readFileSync(place.path("admin-token"), "utf8");
    chownSync(place.path("keywarden.db"), UID, 0);
    expect(reset({ uid: UID, gid: GID })).toMatchObject({ status: 0 });
    expect(readFileSync(place.path("admin-token"), "utf8")).not.toBe(former);
  });
});
