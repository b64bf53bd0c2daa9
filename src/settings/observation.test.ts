import { describe, expect, it } from "vitest";
import { readServeSettings } from "../settings.ts";

/** The first problem with these flags; undefined: there is none. */
function problem(flags: Readonly<Record<string, string>>): string | undefined {
  try {
    readServeSettings(flags, {});
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe("where metrics and health are", () => {
  it("is on loopback, unless it is said otherwise", () => {
    expect(readServeSettings({}, {}).adminHttp).toEqual({ host: "127.0.0.1", port: 8081 });
    expect(readServeSettings({ adminHttp: "off" }, {}).adminHttp).toBeNull();
  });

  it("is not where other machines could read credentials on the way", () => {
    expect(problem({ adminHttp: "0.0.0.0:8081" })).toMatch(/^--admin-http .*credentials could be read/);
    expect(problem({ adminHttp: "0.0.0.0:8081", insecurePlaintext: "true" })).toBeUndefined();
    expect(problem({ adminHttp: "0.0.0.0:8081", tlsCert: "a", tlsKey: "b" })).toBeUndefined();
  });

  it("has a port of its own", () => {
    expect(problem({ adminHttp: "127.0.0.1:50051" })).toMatch(/--admin-http .* port 50051/);
    expect(problem({ adminHttp: "127.0.0.1:50052" })).toMatch(/--admin-http .* port 50052/);
    expect(problem({ adminHttp: "127.0.0.1:0", grpc: "127.0.0.1:0" })).toBeUndefined();
  });
});

describe("where keys are verified over HTTP", () => {
  it("is on loopback, unless it is said otherwise", () => {
    expect(readServeSettings({}, {}).http).toEqual({ host: "127.0.0.1", port: 8080 });
    expect(readServeSettings({ http: "off" }, {}).http).toBeNull();
  });

  it("is not where other machines could read tokens on the way, and asks them for a credential", () => {
    expect(problem({ http: "0.0.0.0:8080" })).toMatch(/^--http .*tokens could be read/);
    for (const safe of [{ insecurePlaintext: "true" }, { tlsCert: "a", tlsKey: "b" }]) {
      const settings = readServeSettings({ http: "0.0.0.0:8080", ...safe }, {});
      expect(settings).toMatchObject({ httpCallersRequired: true, callersRequired: false });
    }
  });

  it("has a port of its own", () => {
    expect(problem({ http: "127.0.0.1:50051" })).toMatch(/^--grpc and --http .* both have port 50051/);
    expect(problem({ http: "127.0.0.1:8081" })).toMatch(/^--http and --admin-http .* both have port 8081/);
  });
});

describe("the issuer", () => {
  it.each(["https://keys.example.com", "http://127.0.0.1:8080", "https://example.com/keys/v1"])(
    "may be %s",
    (issuer) => {
      expect(readServeSettings({ issuer }, {}).issuer).toBe(issuer);
    },
  );

  it.each([
    "keys.example.com",
    "ftp://keys.example.com",
    "https://",
    "https://keys.example.com/",
    "https://keys.example.com?tenant=a",
    "https://keys.example.com#a",
    "https://user:hunter2@keys.example.com",
    "https://keys.example.com/:a",
    "https://keys example.com",
    "",
  ])("is not %j", (issuer) => {
    expect(problem({ issuer })).toMatch(/^--issuer .*: write an address without a query/);
    expect(problem({ issuer })).not.toContain("hunter2");
  });
});

describe("where traces go", () => {
  it.each([
    ["http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"],
    ["https://collector.example/", "https://collector.example/v1/traces"],
    ["https://collector.example/tenant/a", "https://collector.example/tenant/a/v1/traces"],
    ["http://[::1]:4318/v1/traces", "http://[::1]:4318/v1/traces"],
  ])("%s means %s", (otlpEndpoint, endpoint) => {
    expect(readServeSettings({ otlpEndpoint }, {}).otlpEndpoint).toBe(endpoint);
  });

  it.each([
    "127.0.0.1:4318",
    "grpc://127.0.0.1:4317",
    "http://user:hunter2@collector.example",
    "http://collector.example?token=hunter2",
    "http://",
    "",
  ])("is not %j, which is not repeated", (otlpEndpoint) => {
    expect(problem({ otlpEndpoint })).toMatch(/^--otlp-endpoint .*: write a collector's address/);
    expect(problem({ otlpEndpoint })).not.toContain("hunter2");
  });

  it("is nowhere unless somebody says it", () => {
    expect(readServeSettings({}, {}).otlpEndpoint).toBeUndefined();
  });
});

describe("the part of calls that is traced", () => {
  it.each([
    ["0", 0],
    ["1", 1],
    ["0.25", 0.25],
    [".5", 0.5],
    ["1.0", 1],
  ])("%s is %d", (traceSample, ratio) => {
    expect(readServeSettings({ traceSample }, {}).traceSample).toBe(ratio);
  });

  it.each(["1.1", "2", "-0.1", "10%", "1e-3", "", "NaN"])("is not %j", (traceSample) => {
    expect(problem({ traceSample })).toMatch(/^--trace-sample .*: write a number from 0 to 1/);
  });
});
