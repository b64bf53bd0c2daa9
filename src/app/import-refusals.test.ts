import { hash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { as } from "../../test/support/administrators.ts";
import {
  imported,
  importInto,
  importingPerTest,
  SHAPE,
  tokenOf,
  violationsOf,
} from "../../test/support/imports.ts";
import { testKey } from "../../test/support/records.ts";
import type { ApiId, Environment } from "../domain/api.ts";
import type { ImportedKey } from "../domain/import-rules.ts";
import { createApi } from "./create-api.ts";
import type { ImportKeysInput } from "./import-keys.ts";
import { updateApi } from "./update-api.ts";

const own = importingPerTest();
const { importing } = own;

describe("an import is refused as a whole", () => {
  it.each<[string, Partial<ImportKeysInput>, string]>([
    ["without keys", { candidates: [] }, "keys"],
    [
      "with more than 1,000",
      { candidates: Array.from({ length: 1_001 }, (_, index) => imported(index)) },
      "keys",
    ],
    ["without an API", { api: "" }, "api"],
    ["into an environment that is none", { environment: "moon" }, "environment"],
    ["into one of several environments that is not said", { environment: "" }, "environment"],
    ["with a request id that is none", { requestId: "x" }, "request_id"],
  ])("%s", async (_what, input, field) => {
    await expect(importing([imported("a")], input)).rejects.toMatchObject({
      status: "INVALID_ARGUMENT",
      violations: [{ field }],
    });
  });

  it("into Keywarden's own API", async () => {
    await expect(importing([imported("a")], { api: "keywarden", environment: "live" })).rejects.toMatchObject(
      {
        reason: "BUILT_IN_API",
      },
    );
  });

  it("into an API that is not there", async () => {
    await expect(importing([imported("a")], { api: "nope" })).rejects.toMatchObject({
      reason: "API_NOT_FOUND",
    });
  });

  it.each([
    { apis: ["other" as ApiId], environment: null },
    { apis: [], environment: "live" as Environment },
  ])("if the caller is bound to %o", async (binding) => {
    const credential = testKey({ api: "keywarden" as ApiId, scopes: ["*"], binding });
    await expect(importInto(as(own.authority, credential), [imported("a")])).rejects.toMatchObject({
      reason: "CREDENTIAL_BOUND",
    });
  });
});

describe("a row is refused", () => {
  const zeros = (length: number) => new Uint8Array(length);
  it.each<[string, Partial<ImportedKey>, string, RegExp]>([
    ["whose hash is missing", { tokenSha256: zeros(0) }, "token_sha256", /32 bytes, and this has 0/],
    ["whose hash is too short", { tokenSha256: zeros(20) }, "token_sha256", /32 bytes, and this has 20/],
    ["whose hash is of nothing", { tokenSha256: hash("sha256", "", "buffer") }, "token_sha256", /empty/],
    [
      "whose start is too long to be shown",
      { tokenStart: "sk_".padEnd(25, "x") },
      "token_start",
      /up to 24 .* 25/,
    ],
    ["whose start does not show", { tokenStart: "sk_\u202e" }, "token_start", /printable/],
    ["whose end is too long to be shown", { tokenEnd: "a1B2c" }, "token_end", /up to 4 .* 5/],
    ["of a token that no shape admits", { tokenStart: "ghp_" }, "native_token", /imported_token_shapes/],
    ["that has expired", { expireTime: 1 }, "expire_time", /past/],
    ["that was made in the future", { createTime: 9_000_000_000_000 }, "create_time", /future/],
    ["that was made at no time", { createTime: Number.NaN }, "create_time", /instant/],
  ])("%s", async (_what, fields, field, description) => {
    const { outcomes } = await importing([imported("a", fields)]);
    expect(violationsOf(outcomes[0])).toEqual([
      { field: `keys[0].${field}`, description: expect.stringMatching(description) },
    ]);
  });

  it("if its API looks up no tokens but its own, and is told what to do", async () => {
    await updateApi(own.authority.parts, { apiId: "orders", etag: "" }, { importedTokenShapes: [] });
    const { outcomes } = await importing([imported("a"), imported("b", { isNative: true })]);
    expect(violationsOf(outcomes[0])[0]?.description).toContain("keywarden api apply");
    expect(outcomes[1]?.kind).toBe("imported");
  });

  it("with the first ten of the rules that it breaks, so that a thousand such rows fit in an answer", async () => {
    const allowedCidrs = Array.from({ length: 100 }, (_, index) => `nowhere ${index}`);
    const { outcomes } = await importing([imported("a", { allowedCidrs })]);
    expect(violationsOf(outcomes[0])).toHaveLength(10);
  });

  it("if its token is a key of another environment or API", async () => {
    await createApi(own.authority.parts, {
      ...own.authority.api,
      id: "other" as ApiId,
      tokenPrefix: "oth",
      importedTokenShapes: [SHAPE],
    });
    await importing([imported("a")]);
    const live = await importing([imported("a")], { environment: "live" });
    expect(violationsOf(live.outcomes[0])[0]?.description).toContain("the environment test");
    const other = await importing([imported("a")], { api: "other" });
    expect(violationsOf(other.outcomes[0])[0]?.description).toContain("another API");
  });

  it("and neither its hash nor a text of it is repeated, whatever is wrong", async () => {
    const secret = "sk_live_do_not_repeat_me";
    const wrong = fc.record(
      {
        tokenStart: fc.constantFrom(secret, `${secret}\n`),
        tokenEnd: fc.constantFrom(secret),
        createTime: fc.constantFrom(Number.NaN, 9e15),
        expireTime: fc.constantFrom(-1, 9e15),
      },
      { requiredKeys: ["tokenEnd"] },
    );
    await fc.assert(
      fc.asyncProperty(wrong, async (fields) => {
        const { outcomes } = await importing([imported("a", fields)]);
        const said = JSON.stringify(outcomes);
        expect(outcomes[0]?.kind).toBe("refused");
        expect(said).not.toContain("do_not_repeat");
        expect(said).not.toContain(hash("sha256", tokenOf("a"), "hex"));
      }),
      { numRuns: 30 },
    );
  });
});
