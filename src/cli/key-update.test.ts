import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { KeySchema } from "../gen/keywarden/v1/key_pb.ts";
import { keyChange, needsCurrent, refuseContradictions } from "./key-update.ts";
import { asRateLimit } from "./option-values.ts";

const current = create(KeySchema, { scopes: ["a:read", "b:read"], metadata: { team: "ops", tier: "gold" } });
const said = <Options extends object>(options: Options) => ({ expiry: true, ...options });

describe("what an update asks for", () => {
  it("is what the options name, and nothing else", () => {
    const { key, paths } = keyChange(said({ name: "CI", expiresIn: durationFromMs(1_000) }), undefined);
    expect(paths).toEqual(["display_name", "ttl"]);
    expect(key).toMatchObject({ displayName: "CI", expiration: { case: "ttl" } });
  });

  it.each([
    ["another list", { scope: ["c:*"] }, "scopes", { scopes: ["c:*"] }],
    ["no scopes", { clearScopes: true as const }, "scopes", { scopes: [] }],
    ["no CIDRs", { clearCidrs: true as const }, "allowed_cidrs", { allowedCidrs: [] }],
    ["no rate limits", { clearRateLimits: true as const }, "rate_limits", { rateLimits: [] }],
    ["no expiry", { expiry: false }, "expire_time", {}],
    ["an empty name", { name: "" }, "display_name", { displayName: "" }],
    [
      "a scope more",
      { addScope: ["c:read", "a:read"] },
      "scopes",
      { scopes: ["a:read", "b:read", "c:read"] },
    ],
    ["a scope less", { removeScope: ["a:read"] }, "scopes", { scopes: ["b:read"] }],
    [
      "a label more",
      { metadata: [["team", "dev"] as const] },
      "metadata",
      { metadata: { team: "dev", tier: "gold" } },
    ],
    ["a label less", { removeMetadata: ["team"] }, "metadata", { metadata: { tier: "gold" } }],
  ])("may be %s", (_what, options, path, key) => {
    const change = keyChange(said(options), needsCurrent(said(options)) ? current : undefined);
    expect(change.paths).toEqual([path]);
    expect(change.key).toMatchObject(key);
  });

  it("is refused if it is nothing", () => {
    expect(() => keyChange(said({}), undefined)).toThrow("nothing to change");
  });

  it("is refused if it removes what is not there", () => {
    expect(() => keyChange(said({ removeScope: ["x:y"] }), current)).toThrow("does not have the scope x:y");
    expect(() => keyChange(said({ removeMetadata: ["x"] }), current)).toThrow("has no label x");
  });

  it.each([
    { scope: ["a"], addScope: ["b"] },
    { scope: ["a"], clearScopes: true as const },
    { clearScopes: true as const, removeScope: ["b"] },
    { allowCidr: ["::/0"], clearCidrs: true as const },
    { rateLimit: [asRateLimit("a=1/1s")], clearRateLimits: true as const },
    { expiresIn: durationFromMs(1), expiry: false },
  ])("is refused if it contradicts itself: %o", (options) => {
    expect(() => refuseContradictions(said(options))).toThrow(/cannot go together/);
  });
});
