import { describe, expect, it } from "vitest";
import { as, BOUND, binding, of, twoApisPerTest } from "../../test/support/administrators.ts";
import { KEY } from "../../test/support/authority.ts";
import { createKey } from "./create-key.ts";
import { rotateKey } from "./rotate-key.ts";

const two = twoApisPerTest();
const { administrator } = two;

describe("a request id", () => {
  const id = "0b3f7c1e-8d2a-4c57-9a55-7e1f0a6d2c11";
  const REUSED = { status: "ALREADY_EXISTS", reason: "REQUEST_ID_REUSED" };

  it("shows nobody the key that somebody else has made or rotated with it", async () => {
    const one = await administrator();
    const two = await administrator();
    const created = await createKey(one.parts, KEY, id);
    await expect(createKey(two.parts, KEY, id)).rejects.toMatchObject(REUSED);
    expect(await createKey(one.parts, KEY, id)).toEqual({ key: created.key, replayed: true });
    const other = id.replace("0b", "1b");
    await rotateKey(one.parts, of(created.key), 0, other);
    await expect(rotateKey(two.parts, of(created.key), 0, other)).rejects.toMatchObject(REUSED);
  });

  it("shows its own caller no key that is outside of what that is bound to by now", async () => {
    const { key: own, parts } = await administrator();
    const { key: created } = await createKey(parts, KEY, id);
    await rotateKey(parts, of(created), 0, id.replace("0b", "1b"));
    const narrowed = as(two.authority, { ...own, binding: binding(["other"]) });
    await expect(createKey(narrowed, KEY, id)).rejects.toMatchObject(BOUND);
    await expect(rotateKey(narrowed, of(created), 0, id.replace("0b", "1b"))).rejects.toMatchObject(BOUND);
  });
});
