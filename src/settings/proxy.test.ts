import { describe, expect, it } from "vitest";
import { readServeSettings } from "../settings.ts";
import { SettingsError } from "./read.ts";

function problems(flags: Record<string, string>): readonly string[] {
  try {
    readServeSettings(flags, {});
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

const proxy = (flags: Record<string, string>) => readServeSettings(flags, {}).proxy;

describe("what proxies are told", () => {
  it("reads names in whatever capitals", () => {
    expect(proxy({ credentialHeader: "X-Api-Key", identityHeaderPrefix: "X-Us-" })).toMatchObject({
      credentialHeader: "x-api-key",
      identityHeaderPrefix: "x-us-",
    });
  });

  it("believes as many hops, or the networks, that it is given", () => {
    expect(proxy({ trustedHops: "2" }).forwardedTrust).toEqual({ kind: "hops", hops: 2 });
    const { forwardedTrust } = proxy({ trustedProxies: "10.0.0.0/8, 2001:db8::1" });
    expect(forwardedTrust).toMatchObject({
      kind: "proxies",
      networks: [{ prefixLength: 8 }, { prefixLength: 128 }],
    });
  });

  it("refuses what contradicts itself", () => {
    expect(problems({ trustedHops: "1", trustedProxies: "10.0.0.0/8" })).toEqual([
      expect.stringContaining("leave one out"),
    ]);
    expect(problems({ credentialHeader: "x-keywarden-key" })).toEqual([
      expect.stringContaining("--identity-header-prefix"),
    ]);
  });

  it.each([
    { credentialHeader: "" },
    { credentialHeader: "x api key" },
    { credentialHeader: "x_api_key" },
    { credentialHeader: "cookie" },
    { credentialHeader: "Host" },
    { credentialHeader: "x-forwarded-for" },
    { identityHeaderPrefix: "" },
    { identityHeaderPrefix: "x-" },
    { identityHeaderPrefix: "keywarden-" },
    { identityHeaderPrefix: "x-keywarden" },
    { identityHeaderPrefix: "x_keywarden-" },
    { trustedHops: "-1" },
    { trustedHops: "33" },
    { trustedProxies: "" },
    { trustedProxies: "10.0.0.1/8" },
    { trustedProxies: "10.0.0.0/8,proxy" },
    { forwardCredential: "yes" },
  ])("refuses %o", (flags) => {
    expect(problems(flags)).toHaveLength(1);
  });
});
