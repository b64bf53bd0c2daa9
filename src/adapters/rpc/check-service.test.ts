import { create, toBinary } from "@bufbuild/protobuf";
import { beforeEach, describe, expect, it } from "vitest";
import { type Authority, createAuthority } from "../../../test/support/authority.ts";
import type { Verification } from "../../app/verification.ts";
import type { ApiId, Environment } from "../../domain/api.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { CheckRequestSchema } from "../../gen/envoy/service/auth/v3/external_auth_pb.ts";
import type { Failure, UnaryCall } from "../../ports/transport.ts";
import type { ProxyOptions } from "../proxy/proxy-options.ts";
import { ANYONE, type CallerGate, type Verify } from "./caller-admission.ts";
import type { CheckAnswer } from "./check-response.ts";
import { checkMethod } from "./check-service.ts";

const OPTIONS: ProxyOptions = {
  credentialHeader: "authorization",
  forwardCredential: false,
  identityHeaderPrefix: "x-keywarden-",
  forwardedTrust: { kind: "none" },
};

let authority: Authority;
let groups: Verification[][];
let misconfigured: string[];
beforeEach(async () => {
  authority = await createAuthority();
  groups = [];
  misconfigured = [];
});

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly extensions?: Readonly<Record<string, string>>;
  readonly source?: string;
  readonly authorization?: readonly string[];
  readonly bytes?: Uint8Array;
}

interface Checking {
  readonly options?: Partial<ProxyOptions>;
  readonly gate?: CallerGate;
  readonly verify?: Verify;
}

const RULED = { api: "orders", environment: "test", required_scope: "" };

/** What Envoy is answered to each of the checks of one turn: `OK …`, or the status that the call has ended with. */
function checkAll(sent: readonly Sent[], { options = {}, gate = ANYONE, verify }: Checking = {}) {
  const method = checkMethod(
    verify ??
      ((group) => {
        groups.push([...group]);
        authority.verifier.verify(group);
      }),
    { ...OPTIONS, ...options, onMisconfiguration: ({ reason }) => misconfigured.push(reason) },
    gate,
  );
  const outcomes: Promise<string>[] = [];
  const calls = sent.map((one) => {
    const bytes = one.bytes ?? bytesOf(one);
    const { promise, resolve } = Promise.withResolvers<string>();
    outcomes.push(promise);
    const call: UnaryCall<ReturnType<typeof method.request.decode>, CheckAnswer> = {
      request: method.request.decode(bytes, 0, bytes.length),
      deadline: Infinity,
      peer: "192.0.2.1",
      certificateNames: [],
      metadata: (name) => (name === "authorization" ? (one.authorization ?? []) : []),
      isOver: () => false,
      onCancel: () => {},
      fail: ({ status, reason }: Failure) => resolve(`${status} ${reason}`),
      reply: ({ outcome }) =>
        resolve(`OK ${outcome instanceof KeywardenError ? outcome.reason : outcome.decision.reason}`),
    };
    return call;
  });
  method.handle(calls);
  return Promise.all(outcomes);
}

function bytesOf({ headers = {}, extensions = RULED, source = "203.0.113.7" }: Sent): Uint8Array {
  const address = { case: "socketAddress" as const, value: { address: source } };
  const request = create(CheckRequestSchema, {
    attributes: {
      source: { address: { address } },
      request: { http: { method: "GET", path: "/orders?a=b", headers: { ...headers } } },
      contextExtensions: { ...extensions },
    },
  });
  return toBinary(CheckRequestSchema, request);
}

async function check(sent: Sent, checking?: Checking): Promise<string> {
  const [outcome = ""] = await checkAll([sent], checking);
  return outcome;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe("a Check", () => {
  it("is decided as any verification is", async () => {
    const { token } = await authority.key();
    expect(await check({ headers: bearer(token) })).toBe("OK ALLOWED");
    expect(await check({})).toBe("OK MISSING_TOKEN");
    expect(await check({ headers: bearer("nonsense") })).toBe("OK MALFORMED_TOKEN");
    expect(await check({ headers: bearer(token), extensions: { ...RULED, required_scope: "a:b" } })).toBe(
      "OK INSUFFICIENT_SCOPE",
    );
  });

  it("shares one group with the others of its turn", async () => {
    const { token } = await authority.key();
    const three = Array.from({ length: 3 }, () => ({ headers: bearer(token) }));
    expect(await checkAll(three)).toEqual(["OK ALLOWED", "OK ALLOWED", "OK ALLOWED"]);
    expect(groups.map(({ length }) => length)).toEqual([3]);
  });

  it("asks for the scope that is written beside the route, else for the rule of its path", async () => {
    await checkAll([
      { extensions: { ...RULED, required_scope: "orders:read" } },
      { extensions: { api: "orders", environment: "test" } },
    ]);
    expect(groups.flat().map(({ request }) => request)).toMatchObject([
      { requiredScope: "orders:read", route: undefined, api: "orders", environment: "test", cost: 1 },
      { requiredScope: "", route: { method: "GET", path: "/orders?a=b" } },
    ]);
  });

  it("is of the address that Envoy was called from, unless proxies are trusted", async () => {
    const headers = { "x-forwarded-for": "198.51.100.1, 198.51.100.2" };
    await check({ headers });
    await check({ headers }, { options: { forwardedTrust: { kind: "hops", hops: 1 } } });
    await check({}, { options: { forwardedTrust: { kind: "hops", hops: 1 } } });
    expect(groups.flat().map(({ request }) => request.clientIp)).toEqual(["203.0.113.7", "198.51.100.2", ""]);
  });

  it("reads the key from the header that is set, and from no other", async () => {
    const { token } = await authority.key();
    const options = { credentialHeader: "x-api-key" };
    expect(await check({ headers: { "x-api-key": token } }, { options })).toBe("OK ALLOWED");
    expect(await check({ headers: bearer(token) }, { options })).toBe("OK MISSING_TOKEN");
    expect(await check({ headers: { "x-api-key": token } })).toBe("OK MISSING_TOKEN");
    expect(await check({ headers: { x_api_key: token } }, { options })).toBe("OK MISSING_TOKEN");
  });
});

describe("what is wrong with the client's request is a denial, not an error", () => {
  it.each([
    ["two credentials", { headers: { authorization: "Bearer a,Bearer b" } }, "INVALID_CREDENTIAL"],
    ["bytes that are no message", { bytes: Uint8Array.of(0x0a, 0x7f) }, "MALFORMED_REQUEST"],
  ] as const)("%s", async (_, sent, reason) => {
    expect(await check(sent)).toBe(`OK ${reason}`);
    expect(groups).toEqual([]);
    expect(misconfigured).toEqual([]);
  });

  it("a decoder that gets any bytes never throws", () => {
    const { request } = checkMethod(() => {}, { ...OPTIONS, onMisconfiguration: () => {} });
    for (let byte = 0; byte < 256; byte++) {
      expect(() => request.decode(Uint8Array.of(byte, byte, byte), 0, 3)).not.toThrow();
    }
  });
});

describe("a proxy that is set up wrongly is denied, and told of", () => {
  it.each([
    ["an unknown extension", { ...RULED, require_scope: "a:b" }, "UNKNOWN_CONTEXT_EXTENSION"],
    ["an API that is not there", { ...RULED, api: "nothing" }, "UNKNOWN_API"],
    ["an environment that is not there", { ...RULED, environment: "nothing" }, "UNKNOWN_ENVIRONMENT"],
    ["a scope that is none", { ...RULED, required_scope: "a b)" }, "INVALID_SCOPE_EXPRESSION"],
  ])("%s", async (_, extensions, reason) => {
    const { token } = await authority.key();
    expect(await check({ headers: bearer(token), extensions })).toBe(`OK ${reason}`);
    expect(misconfigured).toEqual([reason]);
  });
});

describe("our own failure is UNAVAILABLE", () => {
  it.each(["INTERNAL", "UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "NOT_FOUND"] as const)(
    "%s",
    async (status) => {
      const failure = new KeywardenError({ status, reason: "BROKEN", message: "broken" });
      const verify: Verify = (group) => {
        for (const verification of group) verification.failed(failure);
      };
      expect(await check({}, { verify })).toBe("UNAVAILABLE BROKEN");
    },
  );
});

describe("whoever asks", () => {
  const REQUIRED: CallerGate = { ...ANYONE, required: true };

  async function credential(scopes: readonly string[], environment: string | null = null) {
    const token = await authority.store({
      api: "keywarden" as ApiId,
      environment: "live" as Environment,
      scopes,
      binding: { apis: [], environment: environment as Environment | null },
    });
    return [`Bearer ${token}`];
  }

  it("needs a credential where VerifyKey does, for the same scope", async () => {
    const { token } = await authority.key();
    const headers = bearer(token);
    expect(await check({ headers }, { gate: REQUIRED })).toBe("UNAUTHENTICATED UNAUTHENTICATED");
    const wrong = await credential(["keys:read"]);
    expect(await check({ headers, authorization: wrong })).toBe("PERMISSION_DENIED INSUFFICIENT_SCOPE");
    const right = await credential(["verify:call"]);
    expect(await check({ headers, authorization: right }, { gate: REQUIRED })).toBe("OK ALLOWED");
  });

  it("is not told what is wrong with a request before that", async () => {
    const bytes = Uint8Array.of(0xff);
    expect(await check({ bytes }, { gate: REQUIRED })).toBe("UNAUTHENTICATED UNAUTHENTICATED");
  });

  it("cannot be contradicted in what it serves", async () => {
    const { token } = await authority.key();
    const authorization = await credential(["verify:call"], "live");
    expect(await check({ headers: bearer(token), authorization })).toBe("OK CALLER_ENVIRONMENT");
    expect(misconfigured).toEqual(["CALLER_ENVIRONMENT"]);
  });
});
