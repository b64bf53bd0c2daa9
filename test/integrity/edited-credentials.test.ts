import { beforeEach, expect, it } from "vitest";
import { bootstrap } from "../../src/app/bootstrap.ts";
import { createKey } from "../../src/app/create-key.ts";
import { revokeKey } from "../../src/app/revoke-key.ts";
import type { KeyId } from "../../src/domain/key.ts";
import { KEY } from "../support/authority.ts";
import { editedStore } from "./edited-store.ts";

/* One of Keywarden's own credentials was edited: it counts for nothing, and stops nobody. */

const edited = editedStore();
let first: KeyId;
let second: KeyId;
let third: KeyId;

beforeEach(async () => {
  await bootstrap(edited.parts, () => {});
  const [own] = await edited.store.trustedKeys("keywarden" as never);
  if (own === undefined) throw new Error("there is no administrator");
  first = own.id;
  const another = { ...KEY, api: "keywarden", environment: "live", scopes: ["*"] };
  second = (await createKey(edited.parts, another, "")).key.id;
  third = (await createKey(edited.parts, another, "")).key.id;
  edited.edit(`UPDATE keys SET owner = 'somebody else' WHERE id = '${third}'`);
});

const revoked = (keyId: KeyId) => revokeKey(edited.parts, { keyId, etag: "" });

it("the others can be revoked, and the last that can be trusted can't", async () => {
  await revoked(first);
  await expect(revoked(second)).rejects.toMatchObject({ reason: "LAST_CREDENTIAL" });
});

it("the next start goes on, and makes no new administrator for it", async () => {
  edited.edit(`DELETE FROM keys WHERE id IN ('${first}', '${second}')`);
  await edited.close();
  await edited.open();
  let kept = 0;
  await bootstrap(edited.parts, () => kept++);
  expect(kept).toBe(0);
});

it("is no administrator among those that a reset lists", async () => {
  const trusted = await edited.store.trustedKeys("keywarden" as never);
  expect(trusted.map(({ id }) => id).toSorted()).toEqual([first, second].toSorted());
});

it("whoever meets it raises an alarm: an admin's read, a listing, and the writer", async () => {
  const alarm = [expect.stringMatching(new RegExp(`^SEAL_BROKEN .*${third}`))];
  await expect(edited.store.getKey(third)).rejects.toMatchObject({ reason: "SEAL_BROKEN" });
  expect(edited.alarms.splice(0)).toEqual(alarm);
  await expect(edited.store.listKeys({}, "", 10)).rejects.toMatchObject({ reason: "SEAL_BROKEN" });
  expect(edited.alarms.splice(0)).toEqual(alarm);
  await revoked(first);
  expect(edited.alarms).toEqual(alarm);
});
