import { beforeEach, describe, expect, it } from "vitest";
import { BEYOND, BOUND, binding, credential, of, twoApisPerTest } from "../../test/support/administrators.ts";
import { KEY } from "../../test/support/authority.ts";
import { question } from "../../test/support/question.ts";
import { testApi } from "../../test/support/records.ts";
import type { ApiId, Environment } from "../domain/api.ts";
import type { Key } from "../domain/key.ts";
import { createApi } from "./create-api.ts";
import { type CreateKeyInput, createKey } from "./create-key.ts";
import { deleteApi } from "./delete-api.ts";
import { disableKey } from "./disable-key.ts";
import { enableKey } from "./enable-key.ts";
import { endKeyGrace } from "./end-grace.ts";
import { explainKey } from "./explain-key.ts";
import { getApi, getKey, listApis, listKeys } from "./read-records.ts";
import { revokeKey } from "./revoke-key.ts";
import { rotateKey } from "./rotate-key.ts";
import { updateApi } from "./update-api.ts";
import { updateKey } from "./update-key.ts";

const two = twoApisPerTest();
const { administrator } = two;
/** The product's key, in `test`. */
let key: Key;
beforeEach(async () => {
  key = (await two.authority.key()).key;
});
const page = { size: 0, token: "" };

describe("a credential that is bound to an API", () => {
  it("does with that whatever its scopes allow, and nothing with another", async () => {
    const { parts } = await administrator({ binding: binding(["other"]) });
    const own = await createKey(parts, { ...KEY, api: "other" }, "");
    expect(await getKey(parts, own.key.id)).toEqual(own.key);
    expect((await listKeys(parts, {}, page)).items.map(({ id }) => id)).toEqual([own.key.id]);
    expect((await listApis(parts, page)).items.map(({ id }) => id)).toEqual(["other"]);
    await updateApi(parts, { apiId: "other", etag: "" }, { displayName: "Mine" });
    const refused: readonly Promise<unknown>[] = [
      getApi(parts, "orders"),
      getApi(parts, "keywarden"),
      createApi(parts, testApi({ id: "third" as ApiId, tokenPrefix: "thi" })),
      updateApi(parts, { apiId: "orders", etag: "" }, { displayName: "Mine" }),
      deleteApi(parts, { apiId: "orders", etag: "" }),
      createKey(parts, KEY, ""),
      createKey(parts, credential({ binding: binding(["other"]) }), ""),
      getKey(parts, key.id),
      listKeys(parts, { api: "orders" as ApiId }, page),
      updateKey(parts, of(key), { displayName: "x" }),
      rotateKey(parts, of(key), 0, ""),
      revokeKey(parts, of(key)),
      disableKey(parts, of(key)),
      explainKey(parts, two.authority.explainer, question({}), key.id),
    ];
    for (const refusal of refused) await expect(refusal).rejects.toMatchObject(BOUND);
    expect(await two.authority.parts.store.getKey(key.id)).toEqual(key);
  });

  it("says which, if it is bound to several and lists keys", async () => {
    const { parts } = await administrator({ binding: binding(["other", "orders"]) });
    await expect(listKeys(parts, {}, page)).rejects.toMatchObject(BOUND);
    expect((await listKeys(parts, { api: "orders" as ApiId }, page)).items).toEqual([key]);
    expect((await listApis(parts, { size: 1, token: "" })).items.map(({ id }) => id)).toEqual(["orders"]);
  });

  it("lists the APIs that there are still, page by page, although some of them are gone", async () => {
    await createApi(two.authority.parts, testApi({ id: "gone" as ApiId, tokenPrefix: "gon" }));
    const { parts } = await administrator({ binding: binding(["gone", "orders", "other"]) });
    await deleteApi(two.authority.parts, { apiId: "gone", etag: "" });
    const first = await listApis(parts, { size: 1, token: "" });
    const second = await listApis(parts, { size: 1, token: first.nextPageToken });
    expect([first, second].flatMap(({ items }) => items.map(({ id }) => id))).toEqual(["orders", "other"]);
    expect(second.nextPageToken).toBe("");
  });

  it("is explained no token of another", async () => {
    const { token } = await two.authority.key();
    const { parts } = await administrator({ binding: binding(["other"]) });
    await expect(explainKey(parts, two.authority.explainer, question({ token }), "")).rejects.toMatchObject(
      BOUND,
    );
  });
});

describe("a credential that is bound to an environment", () => {
  it("acts on the keys of that, and on nothing that is for all of them", async () => {
    const { parts } = await administrator({ binding: binding([], "live") });
    const live = await createKey(parts, { ...KEY, environment: "live" }, "");
    expect((await listKeys(parts, { api: "orders" as ApiId }, page)).items).toEqual([live.key]);
    expect(await getApi(parts, "orders")).toBeDefined();
    const refused = [
      createKey(parts, KEY, ""),
      getKey(parts, key.id),
      revokeKey(parts, of(key)),
      listKeys(parts, { environment: "test" as Environment }, page),
      updateApi(parts, { apiId: "orders", etag: "" }, { displayName: "x" }),
      createApi(parts, testApi({ id: "third" as ApiId, tokenPrefix: "thi" })),
    ];
    for (const refusal of refused) await expect(refusal).rejects.toMatchObject(BOUND);
  });
});

describe("nobody gives more than they hold", () => {
  it("when they create a credential", async () => {
    const { parts } = await administrator({
      scopes: ["keys:*"],
      allowedCidrs: ["10.0.0.0/8"],
      expiration: { ttl: 60_000 },
    });
    const least = { scopes: ["keys:read"], allowedCidrs: ["10.1.0.0/16"], expiration: { ttl: 60_000 } };
    await createKey(parts, credential(least), "");
    const wider: readonly (readonly [string, Partial<CreateKeyInput>])[] = [
      ["key.scopes[0]", { scopes: ["*"] }],
      ["key.scopes[1]", { scopes: ["keys:read", "apis:read"] }],
      ["key.allowed_cidrs", { allowedCidrs: [] }],
      ["key.expire_time", { expiration: { at: null } }],
      ["key.expire_time", { expiration: { ttl: 60_001 } }],
    ];
    for (const [field, fields] of wider) {
      const refusal = createKey(parts, credential({ ...least, ...fields }), "");
      await expect(refusal).rejects.toMatchObject({ ...BEYOND, violations: [{ field }] });
    }
  });

  it("when they widen, rotate or enable one: each would give them, or somebody, what it can do", async () => {
    await administrator();
    const { key: strong } = await administrator();
    const { parts, key: own } = await administrator({ scopes: ["keys:write"] });
    const refused = [
      updateKey(parts, of(strong), { displayName: "mine" }),
      updateKey(parts, of(own), { scopes: ["*"] }),
      rotateKey(parts, of(strong), 0, ""),
    ];
    for (const refusal of refused) await expect(refusal).rejects.toMatchObject(BEYOND);
    await disableKey(two.authority.parts, of(strong));
    await expect(enableKey(parts, of(strong))).rejects.toMatchObject(BEYOND);
    expect((await rotateKey(parts, of(own), 0, "")).key.generation).toBe(2);
  });

  it("nor takes from whom can do more: an administrator is demoted by one who can do as much, or by nobody", async () => {
    await administrator();
    const { key: strong } = await administrator();
    await rotateKey(two.authority.parts, of(strong), 60_000, "");
    const before = await two.authority.parts.store.getKey(strong.id);
    const { parts } = await administrator({ scopes: ["keys:*"] });
    for (const change of [
      updateKey(parts, of(strong), { scopes: ["keys:read"] }),
      updateKey(parts, of(strong), { scopes: ["keys:read"], expiration: { ttl: 1_000 } }),
      revokeKey(parts, of(strong)),
      disableKey(parts, of(strong)),
      endKeyGrace(parts, of(strong)),
    ]) {
      await expect(change).rejects.toMatchObject({ ...BEYOND, violations: [{ field: "key.scopes[0]" }] });
    }
    expect(await two.authority.parts.store.getKey(strong.id)).toEqual(before);
  });

  it("but who can do as much takes it away in an emergency, wherever they are and however long their own lasts", async () => {
    await administrator();
    const { key: leaked } = await administrator({ scopes: ["keys:write", "verify:call"] });
    await rotateKey(two.authority.parts, of(leaked), 60_000, "");
    const { parts } = await administrator({
      scopes: ["keys:*", "verify:call"],
      allowedCidrs: ["10.0.0.0/8"],
      expiration: { ttl: 60_000 },
    });
    expect(await endKeyGrace(parts, of(leaked))).toMatchObject({ previousToken: null });
    expect(await disableKey(parts, of(leaked))).toMatchObject({ state: "DISABLED" });
    await expect(enableKey(parts, of(leaked))).rejects.toMatchObject(BEYOND);
    expect(await revokeKey(parts, of(leaked))).toMatchObject({ state: "REVOKED" });
  });

  it("and a product's keys are theirs to give who may change keys, whatever these may do and for how long", async () => {
    const { parts } = await administrator({ scopes: ["keys:write"], expiration: { ttl: 1_000 } });
    const issued = await createKey(parts, { ...KEY, scopes: ["orders:*"] }, "");
    expect(issued.key).toMatchObject({ scopes: ["orders:*"], expireTime: null });
  });
});

describe("a binding", () => {
  it.each([
    ["of a product's key", { ...KEY, binding: binding(["orders"]) }, "key.binding"],
    [
      "to an API that is not there",
      credential({ binding: binding(["orders", "nope"]) }),
      "key.binding.apis[1]",
    ],
    ["to the same API twice", credential({ binding: binding(["orders", "orders"]) }), "key.binding.apis[0]"],
    ["to nothing", credential({ binding: binding([]) }), "key.binding"],
  ])("%s is refused", async (_what, input, field) => {
    await expect(createKey(two.authority.parts, input, "")).rejects.toMatchObject({
      status: "INVALID_ARGUMENT",
      violations: expect.arrayContaining([expect.objectContaining({ field })]),
    });
  });
});
