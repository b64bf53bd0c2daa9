import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Attempt, openStoreAt, refused } from "./store-open-attempt.ts";
import { attemptAs, onSmallDisk, WITH_OWN_MOUNTS, WITHOUT_PRIVILEGES } from "./store-open-processes.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "keywarden-disk-"));
});

afterEach(() => rmSync(directory, { recursive: true }));

describe("a start is refused, and changes nothing, where", () => {
  it("the directory may not be written to", async () => {
    await (await openStoreAt(join(directory, "keywarden.db"))).close();
    chmodSync(directory, 0o555);
    for (const path of ["keywarden.db", "new/keywarden.db"]) {
      expect(await attemptAs(WITHOUT_PRIVILEGES, join(directory, path))).toEqual(
        refused("STORE_NOT_WRITABLE"),
      );
    }
    chmodSync(directory, 0o755);
  });

  it.each(["keywarden.db", "keywarden.db.lock"])("%s may not be written to", async (file) => {
    const path = join(directory, "keywarden.db");
    await (await openStoreAt(path)).close();
    chmodSync(join(directory, file), 0o400);
    expect(await attemptAs(WITHOUT_PRIVILEGES, path)).toEqual(refused("STORE_NOT_WRITABLE"));
  });
});

interface RunningOutOfSpace {
  readonly acknowledged: readonly string[];
  readonly acknowledgedWhenFull: number;
  readonly problemsAtFirst: number;
  readonly problems: readonly { readonly reason: string; readonly message: string }[];
  readonly whenFull: Content;
  readonly whenFree: Content;
  readonly whenReopened: Content;
}

interface Content {
  readonly ids: readonly string[];
  readonly found: readonly string[];
  readonly revision: number;
}

if (WITH_OWN_MOUNTS === undefined) {
  console.warn(
    "NOT TRIED: read-only and full disks. It takes Linux, with user namespaces or as root that may mount.",
  );
}

describe.runIf(WITH_OWN_MOUNTS !== undefined)("on a disk", () => {
  it("that is read-only, a start is refused and changes nothing", async () => {
    const { existing, missing } = await onSmallDisk<Record<"existing" | "missing", Attempt>>(
      "read-only",
      directory,
    );
    expect(existing).toEqual(refused("STORE_NOT_WRITABLE"));
    expect(missing).toEqual(refused("STORE_NOT_WRITABLE"));
  });

  it("that is full, a start is refused and changes nothing, and works once there is room", async () => {
    type Attempts = Record<"existing" | "missing" | "afterwards", Attempt>;
    const { existing, missing, afterwards } = await onSmallDisk<Attempts>("full at the start", directory);
    expect(existing).toEqual(refused("STORE_DISK_FULL"));
    expect(missing).toEqual(refused("STORE_DISK_FULL"));
    expect(afterwards.outcome).toBe("opened");
  });

  it("that is almost full, a start either works or is refused and changes nothing", async () => {
    const attempts = await onSmallDisk<readonly Attempt[]>("almost full at the start", directory);
    const refusals = attempts.filter(({ outcome }) => outcome !== "opened");
    for (const refusal of refusals) expect(refusal).toEqual(refused("STORE_DISK_FULL"));
    expect(refusals.length).toBeGreaterThan(0);
    expect(refusals.length).toBeLessThan(attempts.length);
  });

  it("that has almost no room for files, a start either works or is refused and changes nothing", async () => {
    const attempts = await onSmallDisk<readonly Attempt[]>("almost out of files", directory);
    const refusals = attempts.filter(({ outcome }) => outcome !== "opened");
    // SQLite does not tell a full disk from a forbidden one when it can't make a file.
    const reason = expect.stringMatching(/^STORE_(DISK_FULL|NOT_WRITABLE)$/);
    for (const refusal of refusals) expect(refusal).toEqual(refused(reason));
    expect(refusals.length).toBeGreaterThan(3);
    expect(refusals.length).toBeLessThan(attempts.length);
  });

  it("that fills up, changes are refused, reads go on, and once there is room changes are made again", async () => {
    const seen = await onSmallDisk<RunningOutOfSpace>("full while running", directory);
    const {
      acknowledged,
      acknowledgedWhenFull,
      problems,
      problemsAtFirst,
      whenFull,
      whenFree,
      whenReopened,
    } = seen;
    expect(problemsAtFirst).toBeGreaterThan(0);
    expect(problems).toHaveLength(problemsAtFirst + 16);
    for (const problem of problems) {
      expect(problem).toMatchObject({ status: "UNAVAILABLE", reason: "STORE_UNAVAILABLE" });
      expect(problem.message).toContain("the change was not made");
    }
    expect(acknowledgedWhenFull).toBeGreaterThan(0);
    expect(whenFull.ids).toEqual(acknowledged.slice(0, acknowledgedWhenFull));
    expect(whenFull.found).toEqual([acknowledged[0]]);
    expect(acknowledged).toHaveLength(acknowledgedWhenFull + 16);
    // Each change has its revision, the API's being the first; those that were refused have taken none.
    expect(whenFree).toEqual({
      ids: acknowledged,
      found: [acknowledged[0]],
      revision: acknowledged.length + 1,
    });
    expect(whenReopened).toEqual(whenFree);
  });
});
