import { beforeEach, expect, it } from "vitest";
import { type Authority, createAuthority } from "../../test/support/authority.ts";
import { overrideStore } from "../../test/support/override-store.ts";
import { ENTRY, testApi } from "../../test/support/records.ts";
import type { ApiId, Environment } from "../domain/api.ts";
import { bootstrap } from "./bootstrap.ts";
import { createApi } from "./create-api.ts";
import { deleteApi } from "./delete-api.ts";
import { getApi, getKey, listApis, listKeys } from "./read-records.ts";
import { revokeKey } from "./revoke-key.ts";
import { updateApi } from "./update-api.ts";

let authority: Authority;
beforeEach(async () => {
  authority = await createAuthority();
});

const orders = { apiId: "orders", etag: "" };
const other = testApi({ id: "other" as ApiId, tokenPrefix: "oth" });

it("creates an API, once: its id and its prefix are its own", async () => {
  const { parts, api } = authority;
  expect(await getApi(parts, "orders")).toEqual(api);
  for (const taken of [testApi({ tokenPrefix: "new" }), testApi({ id: "new" as ApiId })]) {
    await expect(createApi(parts, taken)).rejects.toMatchObject({
      status: "ALREADY_EXISTS",
      reason: "API_EXISTS",
    });
  }
  await expect(createApi(parts, testApi({ id: "Bad Id" as ApiId }))).rejects.toMatchObject({
    violations: [{ field: "api.api_id" }],
  });
});

it("lists APIs by id, a page at a time", async () => {
  const { parts } = authority;
  await createApi(parts, other);
  const first = await listApis(parts, { size: 1, token: "" });
  const second = await listApis(parts, { size: 1, token: first.nextPageToken });
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(["keywarden", "orders"]);
  const third = await listApis(parts, { size: 1, token: second.nextPageToken });
  expect(third).toMatchObject({ items: [{ id: "other" }], nextPageToken: "" });
});

it("lists the keys that fit a filter, with page tokens that fit only it", async () => {
  const { parts } = authority;
  const first = await authority.key({ owner: "a" });
  await authority.key({ owner: "b" });
  const third = await authority.key({ owner: "a" });
  const page = await listKeys(parts, { owner: "a" }, { size: 1, token: "" });
  expect(page.items).toEqual([first.key]);
  const rest = await listKeys(parts, { owner: "a" }, { size: 1, token: page.nextPageToken });
  expect(rest.items).toEqual([third.key]);
  await expect(listKeys(parts, { owner: "b" }, { size: 1, token: page.nextPageToken })).rejects.toMatchObject(
    {
      reason: "INVALID_PAGE_TOKEN",
    },
  );
  expect(await getKey(parts, first.key.id)).toEqual(first.key);
  await expect(getKey(parts, "nope")).rejects.toMatchObject({ reason: "KEY_NOT_FOUND" });
  await expect(getApi(parts, "nope")).rejects.toMatchObject({ reason: "API_NOT_FOUND" });
});

it("updates what is named, in force at once", async () => {
  const { parts, api } = authority;
  const { token } = await authority.key();
  const updated = await updateApi(
    parts,
    { apiId: "orders", etag: String(api.revision) },
    { displayName: "New" },
  );
  expect(updated).toEqual({
    ...api,
    displayName: "New",
    updateTime: authority.clock.now,
    revision: updated.revision,
  });
  expect(await authority.verify(token, { api: "orders" })).toBe("ALLOWED");
  await expect(updateApi(parts, { apiId: "orders", etag: "0" }, {})).rejects.toMatchObject({
    reason: "ETAG_MISMATCH",
  });
  await expect(updateApi(parts, orders, { displayName: "" })).rejects.toMatchObject({
    status: "INVALID_ARGUMENT",
  });
  await expect(updateApi(parts, { apiId: "nope", etag: "" }, {})).rejects.toMatchObject({
    reason: "API_NOT_FOUND",
  });
});

it("keeps an environment that has keys, and lets one go that has none", async () => {
  const { parts } = authority;
  await authority.key();
  const environments = (...names: string[]) => ({ environments: names as Environment[] });
  await expect(updateApi(parts, orders, environments("live"))).rejects.toMatchObject({
    status: "FAILED_PRECONDITION",
    reason: "ENVIRONMENT_HAS_KEYS",
  });
  expect((await updateApi(parts, orders, environments("test", "stage"))).environments).toEqual([
    "test",
    "stage",
  ]);
});

it("deletes an API without keys, and none that has keys, even revoked ones", async () => {
  const { parts } = authority;
  const { key } = await authority.key();
  await revokeKey(parts, { keyId: key.id, etag: "" });
  await expect(deleteApi(parts, orders)).rejects.toMatchObject({
    status: "FAILED_PRECONDITION",
    reason: "API_HAS_KEYS",
  });
  await createApi(parts, other);
  await expect(deleteApi(parts, { apiId: "other", etag: "0" })).rejects.toMatchObject({
    reason: "ETAG_MISMATCH",
  });
  await deleteApi(parts, { apiId: "other", etag: "" });
  await expect(getApi(parts, "other")).rejects.toMatchObject({ reason: "API_NOT_FOUND" });
});

it("gives up, with nothing changed, if the API keeps changing meanwhile", async () => {
  authority = await createAuthority((store) =>
    overrideStore(store, {
      commit: async (change) =>
        change.kind === "create-api" ? store.commit(change, ENTRY) : { ok: false, conflict: "CHANGED" },
    }),
  );
  await expect(updateApi(authority.parts, orders, {})).rejects.toMatchObject({ reason: "CONTENTION" });
  await expect(deleteApi(authority.parts, orders)).rejects.toMatchObject({ reason: "CONTENTION" });
});

it("gives a new store one admin credential, and never a second", async () => {
  const { parts } = authority;
  const kept: string[] = [];
  await bootstrap(parts, (token) => kept.push(token.reveal()));
  await bootstrap(parts, (token) => kept.push(token.reveal()));
  expect(kept).toHaveLength(1);
  const request = { api: "keywarden", environment: "live", requiredScope: "keys:write apis:read" };
  expect(await authority.verify(kept[0]!, request)).toBe("ALLOWED");
  // It is no key of a product, whatever environment a backend serves that does not say its API.
  for (const environment of ["live", "*", "test"]) {
    expect(await authority.verify(kept[0]!, { environment, requiredScope: "orders:write" })).toBe(
      "WRONG_API",
    );
  }
  for (const change of [
    updateApi(parts, { apiId: "keywarden", etag: "" }, { displayName: "x" }),
    deleteApi(parts, { apiId: "keywarden", etag: "" }),
  ]) {
    await expect(change).rejects.toMatchObject({ reason: "BUILT_IN_API" });
  }
});

it("makes no credential whose token could not be kept, and makes one on the next start", async () => {
  const { parts } = authority;
  const full = () => {
    throw new Error("disk full");
  };
  await expect(bootstrap(parts, full)).rejects.toThrow("disk full");
  expect((await listKeys(parts, { api: "keywarden" as ApiId }, { size: 0, token: "" })).items).toEqual([]);
  const kept: string[] = [];
  await bootstrap(parts, (token) => kept.push(token.reveal()));
  expect(await authority.verify(kept[0]!, { api: "keywarden", environment: "live" })).toBe("ALLOWED");
});

it("fails to start where another server sets the same store up", async () => {
  const refusing = await createAuthority((store) =>
    overrideStore(store, {
      commit: async (change) =>
        change.kind === "create-key" ? { ok: false, conflict: "CHANGED" } : store.commit(change, ENTRY),
    }),
  );
  await expect(bootstrap(refusing.parts, () => {})).rejects.toMatchObject({ status: "ABORTED" });
});
