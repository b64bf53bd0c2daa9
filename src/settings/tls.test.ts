import { describe, expect, it } from "vitest";
import { readClientSettings, readServeSettings } from "../settings.ts";
import { SettingsError } from "./read.ts";

type Flags = Readonly<Record<string, string>>;

function problems(read: () => unknown): readonly string[] {
  try {
    read();
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

const serve = (flags: Flags) => problems(() => readServeSettings(flags, {}));
const call = (flags: Flags) => problems(() => readClientSettings(flags, {}));
const pair = { tlsCert: "tls.crt", tlsKey: "tls.key" };

describe("a server", () => {
  it("with a certificate may be reached by other machines", () => {
    expect(serve({ ...pair, grpc: "0.0.0.0:50051", adminGrpc: "[::]:50052" })).toEqual([]);
    const { tls } = readServeSettings({ ...pair, tlsClientCa: "ca.crt" }, {});
    expect(tls).toEqual({ cert: "tls.crt", key: "tls.key", clientCa: "ca.crt" });
    expect(readServeSettings({}, {}).tls).toBeUndefined();
  });

  it("needs callers to have a credential where other machines reach its data plane", () => {
    const required = (flags: Flags) => readServeSettings(flags, {}).callersRequired;
    expect(required({ ...pair, grpc: "0.0.0.0:50051" })).toBe(true);
    expect(required({ insecurePlaintext: "true", grpc: "10.0.0.1:50051" })).toBe(true);
    expect(required({ ...pair, adminGrpc: "0.0.0.0:50052" })).toBe(false);
    expect(required({ ...pair, grpc: "off" })).toBe(false);
  });

  it.each([
    [
      { tlsCert: "tls.crt" },
      "--tls-cert needs --tls-key (KEYWARDEN_TLS_CERT, KEYWARDEN_TLS_KEY): give both, or neither",
    ],
    [
      { tlsKey: "tls.key" },
      "--tls-key needs --tls-cert (KEYWARDEN_TLS_KEY, KEYWARDEN_TLS_CERT): give both, or neither",
    ],
    [
      { tlsClientCa: "ca.crt" },
      "--tls-client-ca needs --tls-cert (KEYWARDEN_TLS_CLIENT_CA, KEYWARDEN_TLS_CERT): give both, or neither",
    ],
    [
      { ...pair, tlsCallers: "c.yaml" },
      "--tls-callers needs --tls-client-ca (KEYWARDEN_TLS_CALLERS, KEYWARDEN_TLS_CLIENT_CA): give both, or neither",
    ],
    [
      { ...pair, insecurePlaintext: "true" },
      "--insecure-plaintext and --tls-cert (KEYWARDEN_INSECURE_PLAINTEXT, KEYWARDEN_TLS_CERT) contradict each other: leave one out",
    ],
  ])("is refused with %o alone", (flags: Flags, problem) => {
    expect(serve(flags)).toEqual([problem]);
  });

  it("with half a pair is not also told that its listener is open", () => {
    expect(serve({ tlsCert: "tls.crt", grpc: "0.0.0.0:50051" })).toHaveLength(1);
  });
});

describe("a client", () => {
  it("uses TLS where it is told anything about it", () => {
    const uses = (flags: Flags) => readClientSettings(flags, {}).tls;
    expect(uses({})).toBe(false);
    expect(uses({ tls: "true" })).toBe(true);
    expect(uses({ tlsCa: "ca.crt" })).toBe(true);
    expect(uses({ tlsServerName: "keys.example" })).toBe(true);
    expect(uses({ tlsClientCert: "c.crt", tlsClientKey: "c.key" })).toBe(true);
  });

  it.each([
    [{ tlsClientCert: "c.crt" }, /^--tls-client-cert needs --tls-client-key /],
    [{ tlsClientKey: "c.key" }, /^--tls-client-key needs --tls-client-cert /],
    [{ tls: "true", insecurePlaintext: "true" }, /^--insecure-plaintext contradicts --tls /],
    [{ tlsCa: "ca.crt", insecurePlaintext: "true" }, /^--insecure-plaintext contradicts --tls /],
    [{ tlsServerName: "a b" }, /^--tls-server-name .*: write a DNS name, such as keys\.example\.com$/],
  ])("is refused with %o", (flags: Flags, problem) => {
    expect(call(flags)).toEqual([expect.stringMatching(problem)]);
  });
});
