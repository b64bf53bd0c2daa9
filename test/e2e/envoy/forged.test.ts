import { describe, expect, it } from "vitest";
import { startEnvoy } from "../../support/envoy.ts";
import { startKeywarden, temporaryDirectory } from "../../support/keywarden-process.ts";
import { API, bearer, CALLER, envoySession, KEY, patient } from "./envoy-session.ts";
import { arrived, send, valuesOf } from "./upstream.ts";

const session = envoySession();
const { newKey, envoyWith, get, denied } = session;

describe.skipIf(session.binary === undefined)("what a client says of itself", () => {
  it("never arrives, in whatever spelling", async () => {
    const { keyId, token } = await newKey();
    const forged = [
      "x-keywarden-owner",
      "X-KEYWARDEN-OWNER",
      "X_Keywarden_Owner",
      "x_keywarden_owner",
      "x-keywarden_owner",
      "x.keywarden.owner",
      "x-keywarden-key-id",
      "x-keywarden-key_id",
      "x_keywarden_scopes",
      "x-keywarden.environment",
      "x~keywarden~api",
    ];
    const request = arrived(
      await get("/api/v1/orders", [
        ...forged.map((name) => [name, "forged"] as const),
        ["x-keywarden-owner", "forged twice"],
        ...bearer(token),
      ]),
    )!;
    expect(JSON.stringify(request)).not.toContain("forged");
    expect(valuesOf(request, "x-keywarden-owner")).toEqual(["acct_42"]);
    expect(valuesOf(request, "x-keywarden-key-id")).toEqual([keyId]);
  });

  it("does not arrive where Keywarden has nothing to say either", async () => {
    const { token } = await newKey({ scopes: [] });
    const request = arrived(await get("/api/v1/ping", [...bearer(token), ["x-keywarden-scopes", "*"]]))!;
    expect(valuesOf(request, "x-keywarden-scopes")).toEqual([]);
  });

  it("is seen as it came, with encode_raw_headers", async () => {
    const { token } = await newKey();
    const raw = await envoyWith((config) =>
      patient(config).replace(
        "validate_mutations: true",
        "$&\n                      encode_raw_headers: true",
      ),
    );
    try {
      const ask = (headers: readonly (readonly [string, string])[]) =>
        send(raw.address, "/api/v1/orders", headers);
      const forged = ["x_keywarden_owner", "x-keywarden-owner"].map((name) => [name, "forged"] as const);
      const request = arrived(await ask([...forged, ...bearer(token), ["x-any", "\u00ff"]]))!;
      expect(JSON.stringify(request)).not.toContain("forged");
      expect(valuesOf(request, "x-keywarden-owner")).toEqual(["acct_42"]);
      expect(valuesOf(request, "authorization")).toEqual([]);
      const twice = await denied(() => ask([...bearer("nonsense"), ...bearer(token)]));
      expect(twice.status).toBe(400);
    } finally {
      await raw.stop();
    }
  });

  it("is not its address, whatever Envoy is set to make of X-Forwarded-For", async () => {
    const { token } = await newKey({ allowedCidrs: ["198.51.100.7/32"] });
    const REMOTE = "use_remote_address: true";
    for (const setting of [
      "use_remote_address: false",
      `${REMOTE}\n                xff_num_trusted_hops: 1`,
    ]) {
      const proxy = await envoyWith((config) => patient(config).replace(REMOTE, setting));
      try {
        const forged = [["x-forwarded-for", "198.51.100.7"]] as const;
        const ask = () => send(proxy.address, "/api/v1/orders", [...bearer(token), ...forged]);
        expect((await denied(ask)).status).toBe(403);
      } finally {
        await proxy.stop();
      }
    }
  });

  it("may be as long as Envoy lets it be, and no longer", async () => {
    const { token } = await newKey();
    const ask = (length: number) => {
      const long = "a".repeat(length);
      return get(`/api/v1/orders?${long}`, [...bearer(token), ["x-long", long]]);
    };
    expect((await ask(11_000)).status).toBe(200);
    expect((await denied(() => ask(14_000))).status).toBe(431);
  });

  it("may be of any bytes", async () => {
    const { token } = await newKey();
    const answer = await get("/api/v1/orders", [...bearer(token), ["x-any", "\u00ff\u00c3\u0028"]]);
    expect(answer.status).toBe(200);
  });
});

describe.skipIf(session.binary === undefined)("what Keywarden is set to", () => {
  it("counts: where the key is, where it goes, how headers begin, and which proxies are believed", async () => {
    const own = temporaryDirectory();
    const flags = ["--credential-header", "X-Api-Key", "--forward-credential"];
    // Envoy itself, and the one before it.
    flags.push("--identity-header-prefix", "x-us-", "--trusted-hops", "2");
    const server = await startKeywarden({ directory: own.path, flags });
    const itsAdmin = server.adminClient();
    await itsAdmin.createApi({ api: API });
    const { token: caller } = await itsAdmin.createKey({ key: CALLER });
    const { token } = await itsAdmin.createKey({ key: { ...KEY, allowedCidrs: ["198.51.100.7/32"] } });
    const proxy = await startEnvoy({
      binary: session.binary!,
      directory: own.path,
      keywarden: server.grpc,
      upstream: session.upstream.address,
      token: caller,
      edit: patient,
    });
    try {
      const ask = (...headers: [string, string][]) => send(proxy.address, "/api/v1/orders", headers);
      const forwarded: [string, string] = ["x-forwarded-for", "192.0.2.1, 198.51.100.7"];
      const request = arrived(await ask(["x-api-key", token], ["x_api_key", "forged"], forwarded))!;
      expect(valuesOf(request, "x-us-owner")).toEqual(["acct_42"]);
      expect(valuesOf(request, "x-api-key")).toEqual([token]);
      expect(valuesOf(request, "x_api_key")).toEqual([]);
      expect((await ask(["x-api-key", token])).status).toBe(403);
      expect((await ask(["authorization", `Bearer ${token}`], forwarded)).status).toBe(401);
    } finally {
      await proxy.stop();
      await server.stop();
      own.remove();
    }
  });
});
