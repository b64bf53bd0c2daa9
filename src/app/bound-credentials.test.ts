import { describe, expect, it } from "vitest";
import { BEYOND, BOUND, binding, credential, of, twoApisPerTest } from "../../test/support/administrators.ts";
import { question } from "../../test/support/question.ts";
import { type ApiId, BUILT_IN_API } from "../domain/api.ts";
import type { CredentialBinding, Key } from "../domain/key.ts";
import type { AdminParts } from "./admin-parts.ts";
import { listAuditEvents } from "./audit.ts";
import { createKey } from "./create-key.ts";
import { disableKey } from "./disable-key.ts";
import { enableKey } from "./enable-key.ts";
import { endKeyGrace } from "./end-grace.ts";
import { explainKey } from "./explain-key.ts";
import { getKey, listKeys } from "./read-records.ts";
import { revokeKey } from "./revoke-key.ts";
import { rotateKey } from "./rotate-key.ts";
import { updateKey } from "./update-key.ts";
import { queryUsage } from "./usage-query.ts";

const two = twoApisPerTest();
const { administrator } = two;
const page = { size: 0, token: "" };
const ALL_USAGE = { keyId: "", api: "", environment: "", from: undefined, until: undefined, width: 1 };

describe("of credentials, one that is bound", () => {
  const closer: readonly (readonly [what: string, own: CredentialBinding, within: CredentialBinding])[] = [
    ["to an environment", binding([], "test"), binding(["orders"], "test")],
    ["to the environment that all credentials are of", binding([], "live"), binding([], "live")],
    ["to APIs, Keywarden among them", binding(["orders", "keywarden"]), binding(["orders"], "live")],
  ];
  const outside = [null, binding(["other"], "dev"), binding([], "dev")];

  it.each(closer)(
    "%s acts on those that are bound as closely, and on no others",
    async (_what, own, within) => {
      const { parts } = await administrator({ binding: own });
      const { key: known } = await administrator({ scopes: ["verify:call"], binding: within });
      expect(await getKey(parts, known.id)).toEqual(known);
      for (const act of ACTS) await act(parts, known);
      for (const elsewhere of outside) {
        const { key: foreign } = await administrator({ scopes: ["verify:call"], binding: elsewhere });
        for (const act of ACTS) await expect(act(parts, foreign)).rejects.toMatchObject(BOUND);
        expect(await two.authority.parts.store.getKey(foreign.id)).toEqual(foreign);
      }
    },
  );

  const ACTS: readonly ((parts: AdminParts, subject: Key) => Promise<unknown>)[] = [
    (parts, { id }) => getKey(parts, id),
    (parts, subject) => updateKey(parts, of(subject), { owner: "acct_2" }),
    (parts, subject) => rotateKey(parts, of(subject), 1_000, ""),
    (parts, subject) => endKeyGrace(parts, of(subject)),
    (parts, subject) => disableKey(parts, of(subject)),
    (parts, { id }) => explainKey(parts, two.authority.explainer, question({ environment: "" }), id),
    (parts, { id }) => queryUsage(parts, { ...ALL_USAGE, keyId: id }, page),
    (parts, subject) => enableKey(parts, of(subject)),
    (parts, subject) => revokeKey(parts, of(subject)),
  ];

  it("gives what it is bound to itself, and nothing wider", async () => {
    const { parts } = await administrator({ binding: binding([], "test") });
    await createKey(parts, credential({ binding: binding(["orders"], "test") }), "");
    for (const wider of [null, binding([], "live"), binding(["orders"])]) {
      await expect(createKey(parts, credential({ binding: wider }), "")).rejects.toMatchObject(BEYOND);
    }
  });

  it("is explained no token of one that is not bound as closely", async () => {
    const { parts } = await administrator({ binding: binding([], "test") });
    const token = await two.authority.store({
      ...(await administrator()).key,
      id: two.authority.parts.newKeyId(),
    });
    const asked = question({ token, api: "keywarden", environment: "live" });
    await expect(explainKey(parts, two.authority.explainer, asked, "")).rejects.toMatchObject(BOUND);
  });

  it.each([
    ["APIs", "keywarden", binding(["orders", "keywarden"]), binding(["orders"])],
    ["an environment", "keywarden", binding([], "test"), binding(["orders"], "test")],
    [
      "the environment of credentials, whatever it lists",
      undefined,
      binding([], "live"),
      binding([], "live"),
    ],
  ])(
    "to %s lists those to the last, however many others are between them",
    async (_what, api, own, within) => {
      const { key: itself, parts } = await administrator({ binding: own });
      const expected = [itself.id];
      for (let turn = 0; turn < 3; turn++) {
        for (let other = 0; other < 5; other++) await administrator({ binding: binding(["other"], "dev") });
        expected.push((await administrator({ binding: within })).key.id);
      }
      for (let other = 0; other < 5; other++) await administrator();
      for (const size of [1, 2, 3, 0]) {
        const listed: string[] = [];
        let token = "";
        do {
          const { items, nextPageToken } = await listKeys(parts, { api: api as ApiId }, { size, token });
          listed.push(...items.map(({ id }) => id));
          token = nextPageToken;
        } while (token !== "");
        expect(listed).toEqual(expected);
      }
    },
  );

  it.each([
    ["APIs", binding(["orders", "keywarden"])],
    ["an environment", binding([], "live")],
  ])(
    "to %s is told nothing of what concerns them all: neither their audit nor their usage",
    async (_what, own) => {
      const { parts } = await administrator({ binding: own });
      const audit = listAuditEvents(parts, { api: BUILT_IN_API }, page);
      await expect(audit).rejects.toMatchObject(BOUND);
      await expect(queryUsage(parts, { ...ALL_USAGE, api: BUILT_IN_API }, page)).rejects.toMatchObject(BOUND);
    },
  );
});
