import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SettingsError } from "./settings/read.ts";
import { formatHostPort } from "./settings/values.ts";
import { CLIENT_SETTINGS, readClientSettings, readServeSettings, SERVE_SETTINGS } from "./settings.ts";

/** The problems that a start is refused with; empty if it is not. */
function problems(read: () => unknown): readonly string[] {
  try {
    read();
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

const serve = (flags: Record<string, string>, variables: Record<string, string> = {}) =>
  problems(() => readServeSettings(flags, variables));

describe("a server that is told nothing", () => {
  it("listens on loopback, keeps its data in ./data, and serves the environment that requests name", () => {
    expect(readServeSettings({}, {})).toEqual({
      grpc: { host: "127.0.0.1", port: 50_051 },
      http: { host: "127.0.0.1", port: 8_080 },
      adminGrpc: { host: "127.0.0.1", port: 50_052 },
      adminHttp: { host: "127.0.0.1", port: 8_081 },
      store: { engine: "sqlite", file: "./data/keywarden.db", directory: "./data" },
      environment: undefined,
      pepper: { kind: "file", path: "data/pepper", madeWithStore: true },
      sealKey: { kind: "file", path: "data/seal-key", madeWithStore: true },
      adminTokenFile: "data/admin-token",
      callersRequired: false,
      httpCallersRequired: false,
      insecurePlaintext: false,
      credentialHeader: "authorization",
      forwardCredential: false,
      identityHeaderPrefix: "x-keywarden-",
      trustedHops: 0,
      proxy: {
        credentialHeader: "authorization",
        forwardCredential: false,
        identityHeaderPrefix: "x-keywarden-",
        forwardedTrust: { kind: "none" },
      },
      cacheSize: 100_000,
      workers: 1,
      failureBudget: 100,
      usageFlush: 10_000,
      usageRetention: 400 * 86_400_000,
      drainGrace: 10_000,
      logLevel: "info",
      logFormat: "auto",
      traceSample: 0.01,
    });
  });
});

describe("where a setting comes from", () => {
  it("is the flag, else the variable", () => {
    const variables = { KEYWARDEN_CACHE_SIZE: "5", KEYWARDEN_DRAIN_GRACE: "3s" };
    expect(readServeSettings({ cacheSize: "7" }, variables)).toMatchObject({
      cacheSize: 7,
      drainGrace: 3_000,
    });
  });

  it("is told in the error", () => {
    expect(serve({ cacheSize: "many" }, { KEYWARDEN_LOG_LEVEL: "loud" })).toEqual([
      '--cache-size is "many": write a whole number from 1 to 10000000',
      'KEYWARDEN_LOG_LEVEL is "loud": write one of trace, debug, info, warn, error, fatal, silent',
    ]);
    expect(serve({}, { KEYWARDEN_GRPC: "" })[0]).toMatch(/^KEYWARDEN_GRPC is empty: write host:port/);
  });

  it.each([...SERVE_SETTINGS, ...CLIENT_SETTINGS])(
    "$variable has a flag of the same words, unless it is a secret",
    (row) => {
      const { flag, variable, secret } = row;
      const words = variable.replace("KEYWARDEN_", "").toLowerCase().replaceAll("_", "-");
      expect(flag).toBe(secret ? undefined : `--${words}`);
    },
  );
});

describe("a start is refused", () => {
  it("for an unknown variable, and says what was meant", () => {
    expect(serve({}, { KEYWARDEN_ADMIN_GPRC: "off", KEYWARDEN_WHATEVER: "1" })).toEqual([
      "KEYWARDEN_ADMIN_GPRC is not a setting of Keywarden: did you mean KEYWARDEN_ADMIN_GRPC?",
      "KEYWARDEN_WHATEVER is not a setting of Keywarden: unset it, or see keywarden serve --help",
    ]);
  });

  it("but not for the client's variables, nor for what Kubernetes sets for a service called keywarden", () => {
    const links = {
      KEYWARDEN_TOKEN_FILE: "x",
      KEYWARDEN_SERVICE_HOST: "10.0.0.1",
      KEYWARDEN_SERVICE_PORT_GRPC: "50051",
      KEYWARDEN_PORT: "tcp://10.0.0.1:50051",
      KEYWARDEN_PORT_50051_TCP_ADDR: "10.0.0.1",
    };
    expect(serve({}, links)).toEqual([]);
    expect(serve({}, { KEYWARDEN_PORT: "8080" })).toHaveLength(1);
  });

  it("with both planes off", () => {
    const off = { grpc: "off", http: "off", adminGrpc: "off" };
    expect(serve(off)[0]).toMatch(/--grpc, --http and --admin-grpc .* are all off/);
    for (const name of Object.keys(off)) expect(serve({ ...off, [name]: "127.0.0.1:0" })).toEqual([]);
  });

  it("with both planes on one port, unless that is any free one", () => {
    expect(serve({ grpc: "localhost:50052" })[0]).toMatch(/both have port 50052/);
    expect(serve({ grpc: "127.0.0.1:0", adminGrpc: "127.0.0.1:0" })).toEqual([]);
  });

  it.each(["0.0.0.0", "[::]", "10.1.2.3", "keys.example.com", "[::ffff:10.0.0.1]", "128.0.0.1"])(
    "when %s could be reached from elsewhere and nobody said --insecure-plaintext",
    (host) => {
      const [data] = serve({ grpc: `${host}:9000` });
      expect(data).toMatch(/^--grpc .*could be read.*--tls-cert and --tls-key.*--insecure-plaintext/);
      const [admin] = serve({ adminGrpc: `${host}:9000` });
      expect(admin).toMatch(/^--admin-grpc .*could be read.*--tls-cert and --tls-key.*--insecure-plaintext/);
      expect(serve({ grpc: `${host}:9000`, insecurePlaintext: "true" })).toEqual([]);
    },
  );

  it.each(["127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST", "[::1]"])("but not on %s", (host) => {
    expect(serve({ grpc: `${host}:9000` })).toEqual([]);
  });

  it.each(["postgres://user:hunter2@db/keys", "postgresql://user:hunter2@db/keys"])(
    "with %s, without repeating the password",
    (store) => {
      const [problem] = serve({ store });
      expect(problem).toMatch(/PostgreSQL is not supported by this version; write sqlite:FILE/);
      expect(problem).not.toContain("hunter2");
    },
  );

  it.each(["data.db", "sqlite:", "sqlite::memory:", "sqlite://x/y", "sqlite:dir/", "sqlite:x?mode=ro"])(
    "with the store %s",
    (store) => {
      expect(serve({ store })[0]).toMatch(/write sqlite:FILE/);
    },
  );

  it.each(["50051", "127.0.0.1", "127.0.0.1:65536", "::1:50051", "http://x:1", "a b:1", ":1", "x:"])(
    "with the address %s",
    (grpc) => {
      expect(serve({ grpc })[0]).toMatch(/write host:port.*, or off$/);
    },
  );

  it("never with a token in its message", () => {
    const token = "c2p_live_0123456789abcdefghijABCDEFGHIJ01234567";
    for (const { name, variable } of SERVE_SETTINGS) {
      expect(serve({ [name]: token }).join()).not.toContain(token);
      expect(serve({}, { [variable]: token }).join()).not.toContain(token);
    }
    const given = { KEYWARDEN_ADMIN_TOKEN: "not a token" };
    expect(problems(() => readClientSettings({}, given))[0]).toBe(
      "KEYWARDEN_ADMIN_TOKEN is 11 characters of another shape: write one token, such as the content of the file admin-token",
    );
  });
});

describe("the admin credential", () => {
  const variables = { KEYWARDEN_ADMIN_TOKEN: "kw_live_0123456789abcdef" };

  it("comes from the variable, unless a flag names a file", () => {
    expect(readClientSettings({}, variables).adminToken).toBe("kw_live_0123456789abcdef");
    const named = readClientSettings({ tokenFile: "t" }, variables);
    expect([named.tokenFile, named.adminToken]).toEqual(["t", undefined]);
  });

  it("cannot come from two variables", () => {
    const both = { ...variables, KEYWARDEN_TOKEN_FILE: "t" };
    expect(problems(() => readClientSettings({}, both))[0]).toMatch(/are both set/);
  });

  it("of a caller is found by the same rules", () => {
    const caller = { KEYWARDEN_CALLER_TOKEN: "kw_live_0123456789abcdef" };
    expect(readClientSettings({}, caller).callerToken).toBe("kw_live_0123456789abcdef");
    const named = readClientSettings({ callerTokenFile: "t" }, { ...variables, ...caller });
    expect([named.callerTokenFile, named.callerToken]).toEqual(["t", undefined]);
    expect(named.adminToken).toBe("kw_live_0123456789abcdef");
    const both = { ...caller, KEYWARDEN_CALLER_TOKEN_FILE: "t" };
    expect(problems(() => readClientSettings({}, both))[0]).toBe(
      "KEYWARDEN_CALLER_TOKEN and KEYWARDEN_CALLER_TOKEN_FILE are both set: unset one of them",
    );
  });
});

it("an address that was read is written as it was", () => {
  const hosts = fc.oneof(
    fc.ipV4(),
    fc.constantFrom("localhost", "[::1]", "[2001:db8::1]", "keys.example.com"),
  );
  fc.assert(
    fc.property(hosts, fc.integer({ min: 1, max: 65_535 }), (host, port) => {
      const { address } = readClientSettings({ address: `${host}:${port}` }, {});
      expect(formatHostPort(address)).toBe(`${host}:${port}`);
    }),
  );
});
