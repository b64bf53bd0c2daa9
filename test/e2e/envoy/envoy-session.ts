import { afterAll, beforeAll, expect } from "vitest";
import { type EnvoyProcess, envoyBinary, startEnvoy } from "../../support/envoy.ts";
import {
  type AdminClient,
  type KeywardenProcess,
  startKeywarden,
  temporaryDirectory,
} from "../../support/keywarden-process.ts";
import { type Answer, type SentHeaders, send, startUpstream, type Upstream } from "./upstream.ts";

export const API = {
  apiId: "c2p",
  displayName: "C2P",
  tokenPrefix: "c2p",
  environments: ["test", "live"],
  scopes: [{ name: "orders:read" }, { name: "orders:write" }, { name: "files:read" }],
  routeRules: [
    { methods: ["GET"], path: "/api/v1/orders", requiredScope: "orders:read", cost: 1 },
    { methods: ["POST"], path: "/api/v1/orders", requiredScope: "orders:write", cost: 1 },
    { methods: ["GET"], path: "/api/v1/ping", requiredScope: "", cost: 1 },
    { methods: ["GET"], path: "/api/v1/reports/*", requiredScope: "orders:read", cost: 5 },
  ],
};
export const KEY = { api: "c2p", environment: "test", owner: "acct_42", scopes: ["orders:read"] };
export const CALLER = { api: "keywarden", environment: "live", owner: "envoy", scopes: ["verify:call"] };

/** A machine that runs other tests meanwhile may not answer in the example's 200 ms. */
export const patient = (config: string) => config.replaceAll(/(timeout|max_interval): 0\.[12]s/g, "$1: 20s");

/** A bearer token, as clients send it. */
export const bearer = (token: string) => [["authorization", `Bearer ${token}`]] as const;

/** A real Keywarden, and a real Envoy that asks it before it lets a request go to the upstream. */
export interface EnvoySession {
  /** Undefined: there is no Envoy, and nothing else here either. */
  readonly binary: string | undefined;
  readonly directory: string;
  keywarden: KeywardenProcess;
  admin: AdminClient;
  upstream: Upstream;
  envoy: EnvoyProcess;
  newKey(fields?: KeyFields): Promise<{ keyId: string; token: string }>;
  /** Another Envoy: the example, changed, and by default with a credential that Keywarden knows. */
  envoyWith(edit: (config: string) => string, token?: string): Promise<EnvoyProcess>;
  /** Asks the Envoy that waits patiently. */
  get(path: string, headers?: SentHeaders): Promise<Answer>;
  /** A denial, which nothing behind Envoy has heard of. */
  denied(sending: () => Promise<Answer>): Promise<Answer>;
}

type KeyFields = Parameters<AdminClient["createKey"]>[0]["key"];

/** One for all tests of a file. */
export function envoySession(): EnvoySession {
  const binary = envoyBinary();
  const directory = temporaryDirectory();
  const session = {
    binary,
    directory: directory.path,
    async newKey(fields: KeyFields = {}) {
      const { key, token } = await session.admin.createKey({ key: { ...KEY, ...fields } });
      return { keyId: key!.keyId, token };
    },
    async envoyWith(edit, token) {
      const { keywarden, upstream, admin } = session;
      return startEnvoy({
        binary: binary!,
        directory: directory.path,
        keywarden: keywarden.grpc,
        upstream: upstream.address,
        token: token ?? (await admin.createKey({ key: CALLER })).token,
        edit,
      });
    },
    get: (path, headers) => send(session.envoy.address, path, headers),
    async denied(sending) {
      const before = session.upstream.requests;
      const answer = await sending();
      expect(session.upstream.requests).toBe(before);
      return answer;
    },
  } as EnvoySession;
  beforeAll(async () => {
    if (binary === undefined) return;
    const starting = [startKeywarden({ directory: directory.path }), startUpstream()] as const;
    [session.keywarden, session.upstream] = await Promise.all(starting);
    session.admin = session.keywarden.adminClient();
    await session.admin.createApi({ api: API });
    session.envoy = await session.envoyWith(patient);
  });
  afterAll(async () => {
    await session.envoy?.stop();
    await session.keywarden?.stop();
    await session.upstream?.close();
    directory.remove();
  });
  return session;
}
