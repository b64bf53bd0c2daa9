import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { type Authority, createAuthority, KEY } from "../../test/support/authority.ts";
import { overrideStore } from "../../test/support/override-store.ts";
import { ENTRY } from "../../test/support/records.ts";
import type { ApiId, Environment } from "../domain/api.ts";
import { createApi } from "./create-api.ts";
import { createKey } from "./create-key.ts";
import { updateApi } from "./update-api.ts";

let authority: Authority;
beforeEach(async () => {
  authority = await createAuthority();
});

it("creates a key whose token is allowed at once, and stores nothing of the token but its hint", async () => {
  const { key, token } = await authority.key({
    scopes: ["orders:read"],
    displayName: "CI",
    metadata: { team: "a" },
  });
  expect(await authority.verify(token, { requiredScope: "orders:read" })).toBe("ALLOWED");
  expect(await authority.parts.store.getKey(key.id)).toEqual(key);
  expect(key).toMatchObject({
    generation: 1,
    state: "ACTIVE",
    previousToken: null,
    hint: `ord_test_…${token.slice(-4)}`,
  });
  expect(JSON.stringify(key)).not.toContain(token.slice(9, -4));
});

it("takes what the creator does not say from the API's defaults", async () => {
  const rateLimits = [{ name: "default", quota: 5, window: 60_000 }];
  await updateApi(
    authority.parts,
    { apiId: "orders", etag: "" },
    { keyDefaults: { ttl: 86_400_000, rateLimits } },
  );
  const byDefault = await authority.key();
  expect(byDefault.key).toMatchObject({ expireTime: authority.clock.now + 86_400_000, rateLimits });
  const own = [{ name: "own", quota: 1, window: 1_000 }];
  const said = await authority.key({ rateLimits: own, expiration: { at: authority.clock.now + 5_000 } });
  expect(said.key).toMatchObject({ expireTime: authority.clock.now + 5_000, rateLimits: own });
});

it("takes the API's only environment, and asks where there are several", async () => {
  await createApi(authority.parts, {
    ...authority.api,
    id: "solo" as ApiId,
    tokenPrefix: "solo",
    environments: ["live" as Environment],
  });
  expect((await authority.key({ api: "solo", environment: "" })).key.environment).toBe("live");
  await expect(authority.key({ environment: "" })).rejects.toMatchObject({
    status: "INVALID_ARGUMENT",
    violations: [{ field: "key.environment" }],
  });
});

it("refuses an API that is not named or not there", async () => {
  await expect(authority.key({ api: "" })).rejects.toMatchObject({ violations: [{ field: "key.api" }] });
  await expect(authority.key({ api: "nope" })).rejects.toMatchObject({
    status: "NOT_FOUND",
    reason: "API_NOT_FOUND",
  });
  await expect(authority.key({ api: "Bearer c2p_live_secret token" })).rejects.toMatchObject({
    violations: [
      {
        field: "key.api",
        description: "names an API, whose id is 1 to 32 of a-z, 0-9 and '-', starting with a letter",
      },
    ],
  });
});

it("names every field that breaks its rule, and stores nothing", async () => {
  const broken = createKey(
    authority.parts,
    { ...KEY, owner: "", scopes: ["a:*:"], allowedCidrs: ["10.0.0.1/8"], expiration: { ttl: -1 } },
    "",
  );
  const fields = await broken.catch((error) => error.violations.map(({ field }: { field: string }) => field));
  expect(fields.toSorted()).toEqual(["key.allowed_cidrs[0]", "key.owner", "key.scopes[0]", "key.ttl"]);
  expect(await authority.parts.store.listKeys({}, "", 10)).toEqual([]);
});

describe("with a request id", () => {
  it("makes one key however often it is sent, and shows the token once", async () => {
    const id = randomUUID();
    const first = await createKey(authority.parts, KEY, id);
    const again = await createKey(authority.parts, KEY, id.toUpperCase());
    expect(again).toEqual({ key: first.key, replayed: true });
    expect(await authority.parts.store.listKeys({}, "", 10)).toHaveLength(1);
  });

  it("finds the same request again when its labels come in another order", async () => {
    const id = randomUUID();
    const first = await createKey(authority.parts, { ...KEY, metadata: { a: "1", b: "2" } }, id);
    const again = await createKey(authority.parts, { ...KEY, metadata: { b: "2", a: "1" } }, id);
    expect(again).toEqual({ key: first.key, replayed: true });
  });

  it("makes one key if it is sent many times at once", async () => {
    const id = randomUUID();
    const issued = await Promise.all(Array.from({ length: 8 }, () => createKey(authority.parts, KEY, id)));
    expect(new Set(issued.map(({ key }) => key.id)).size).toBe(1);
    expect(issued.filter(({ replayed }) => !replayed)).toHaveLength(1);
  });

  it("refuses another request under the same id, and an id that is none", async () => {
    const id = randomUUID();
    await createKey(authority.parts, KEY, id);
    await expect(createKey(authority.parts, { ...KEY, owner: "acct_2" }, id)).rejects.toMatchObject({
      status: "ALREADY_EXISTS",
      reason: "REQUEST_ID_REUSED",
    });
    await expect(createKey(authority.parts, KEY, "1")).rejects.toMatchObject({
      reason: "INVALID_REQUEST_ID",
    });
  });
});

it("gives up, with nothing made, if the API keeps changing meanwhile", async () => {
  let commits = 0;
  authority = await createAuthority((store) =>
    overrideStore(store, {
      commit: async (change) => {
        if (change.kind !== "create-key") return store.commit(change, ENTRY);
        commits++;
        return { ok: false, conflict: "CHANGED" };
      },
    }),
  );
  await expect(authority.key()).rejects.toMatchObject({ status: "ABORTED", reason: "CONTENTION" });
  expect(commits).toBe(16);
});
