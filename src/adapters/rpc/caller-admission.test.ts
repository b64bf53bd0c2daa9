import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { type Authority, createAuthority } from "../../../test/support/authority.ts";
import { question } from "../../../test/support/question.ts";
import type { Verdict, VerifyRequest } from "../../app/verification.ts";
import type { ApiId, Environment } from "../../domain/api.ts";
import type { CredentialBinding, Key } from "../../domain/key.ts";
import type { KeywardenError } from "../../domain/keywarden-error.ts";
import { generateToken } from "../../domain/token.ts";
import type { Failure, UnaryCall, UnaryMethod } from "../../ports/transport.ts";
import { ANYONE, type CallerGate } from "./caller-admission.ts";
import { verifyMethods } from "./verify-service.ts";

const LIVE = "live" as Environment;
const ORDERS = "orders" as ApiId;

interface Sent {
  readonly authorization?: readonly string[];
  readonly names?: readonly string[];
  readonly peer?: string;
  readonly request?: Partial<VerifyRequest>;
}

let authority: Authority;
let token: string;
let groups: number[];
beforeEach(async () => {
  authority = await createAuthority();
  ({ token } = await authority.key());
  groups = [];
});

/** A credential of the built-in API that may verify, unless the fields say otherwise. */
async function credential(fields: Partial<Key> = {}): Promise<readonly string[]> {
  const stored = await authority.store({
    api: "keywarden" as ApiId,
    environment: LIVE,
    scopes: ["verify:call"],
    ...fields,
  });
  return [`Bearer ${stored}`];
}

const bound = (apis: readonly string[], environment: string | null = null): Partial<Key> => ({
  binding: { apis: apis as ApiId[], environment: environment as Environment | null },
});

/** What each of the calls of one turn gets, in their order. */
function callAll(sent: readonly Sent[], gate: CallerGate = ANYONE): Promise<readonly string[]> {
  const [verifyKey] = verifyMethods((group) => {
    groups.push(group.length);
    authority.verifier.verify(group);
  }, gate);
  const outcomes: Promise<string>[] = [];
  const calls = sent.map(({ authorization = [], names = [], peer = "192.0.2.1", request = {} }) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    outcomes.push(promise);
    let over = false;
    const end = (outcome: string) => {
      over = true;
      resolve(outcome);
    };
    const call: UnaryCall<VerifyRequest, Verdict> = {
      request: question({ token, environment: "", ...request }),
      deadline: Infinity,
      peer,
      certificateNames: names,
      metadata: (name) => (name === "authorization" ? authorization : []),
      isOver: () => over,
      onCancel: () => {},
      fail: ({ status, reason }: Failure | KeywardenError) => end(`${status} ${reason}`),
      reply: ({ decision }) => end(decision.reason),
    };
    return call;
  });
  (verifyKey as UnaryMethod<VerifyRequest, Verdict>).handle(calls);
  return Promise.all(outcomes);
}

async function call(sent: Sent, gate?: CallerGate): Promise<string> {
  const [outcome = ""] = await callAll([sent], gate);
  return outcome;
}

const REQUIRED: CallerGate = { ...ANYONE, required: true };
const test = { environment: "test" };

describe("a caller's credential", () => {
  it("is not needed on loopback, but needed elsewhere", async () => {
    expect(await call({ request: test })).toBe("ALLOWED");
    expect(await call({ request: test }, REQUIRED)).toBe("UNAUTHENTICATED UNAUTHENTICATED");
    expect(await call({ request: test, authorization: await credential() }, REQUIRED)).toBe("ALLOWED");
  });

  it("must be valid wherever it is sent", async () => {
    const { token: product } = await authority.key({ scopes: ["*"] });
    const wrong: [readonly string[], string][] = [
      [["Bearer kw_live_x"], "UNAUTHENTICATED UNAUTHENTICATED"],
      [[""], "UNAUTHENTICATED UNAUTHENTICATED"],
      [["Basic a:b"], "UNAUTHENTICATED UNAUTHENTICATED"],
      [[`Bearer ${product}`], "UNAUTHENTICATED UNAUTHENTICATED"],
      [await credential({ state: "REVOKED" }), "UNAUTHENTICATED UNAUTHENTICATED"],
      [await credential({ expireTime: 1 }), "UNAUTHENTICATED UNAUTHENTICATED"],
      [await credential({ scopes: ["keys:*"] }), "PERMISSION_DENIED INSUFFICIENT_SCOPE"],
      [await credential({ allowedCidrs: ["198.51.100.0/24"] }), "PERMISSION_DENIED IP_NOT_ALLOWED"],
    ];
    for (const gate of [ANYONE, REQUIRED]) {
      for (const [authorization, outcome] of wrong) {
        expect(await call({ authorization, request: test }, gate)).toBe(outcome);
      }
    }
    const good = await credential();
    expect(await call({ authorization: [...good, ...good], request: test })).toBe(
      "UNAUTHENTICATED UNAUTHENTICATED",
    );
  });

  it("is revoked for the very next call", async () => {
    const authorization = await credential();
    expect(await call({ authorization, request: test })).toBe("ALLOWED");
    const [key] = await authority.parts.store.listKeys({ api: "keywarden" as ApiId }, "", 10);
    const result = await authority.parts.store.commit(
      { kind: "update-key", key: { ...key!, state: "REVOKED" }, expected: key!.revision },
      {
        actor: { kind: "MACHINE", keyId: null, ip: "" },
        action: "RevokeKey",
        before: null,
        requestId: "",
        time: 1,
      },
    );
    expect(result.ok).toBe(true);
    expect(await call({ authorization, request: test })).toBe("UNAUTHENTICATED UNAUTHENTICATED");
  });

  it("fixes the environment and the API", async () => {
    const live = await credential(bound([], "live"));
    expect(await call({ authorization: live })).toBe("WRONG_ENVIRONMENT");
    expect(await call({ authorization: await credential(bound([], "test")) })).toBe("ALLOWED");
    const other = await credential(bound(["other"], "test"));
    expect(await call({ authorization: other })).toBe("WRONG_API");
    const both = await credential(bound(["other", "orders"], "test"));
    expect(await call({ authorization: both })).toBe("ALLOWED");
    const neither = await credential(bound(["other", "another"], "test"));
    expect(await call({ authorization: neither })).toBe("WRONG_API");
  });

  it("cannot be contradicted by the request", async () => {
    const authorization = await credential(bound(["orders"], "test"));
    const outcome = (request: Partial<VerifyRequest>) => call({ authorization, request });
    expect(await outcome({ environment: "live" })).toBe("INVALID_ARGUMENT CALLER_ENVIRONMENT");
    expect(await outcome({ environment: "*" })).toBe("INVALID_ARGUMENT CALLER_ENVIRONMENT");
    expect(await outcome({ api: "other" })).toBe("INVALID_ARGUMENT CALLER_API");
    expect(await outcome({ api: "orders", environment: "test" })).toBe("ALLOWED");
  });
});

describe("a client certificate", () => {
  const mapped: CallerGate = {
    required: true,
    callerOf: (names): CredentialBinding | undefined =>
      names.includes("DNS:a.example") ? { apis: [ORDERS], environment: "test" as Environment } : undefined,
  };

  it("that is mapped stands for a caller", async () => {
    expect(await call({ names: ["DNS:a.example"] }, mapped)).toBe("ALLOWED");
    const request = { environment: "live" };
    expect(await call({ names: ["DNS:a.example"], request }, mapped)).toBe(
      "INVALID_ARGUMENT CALLER_ENVIRONMENT",
    );
  });

  it("that is not mapped needs a credential besides", async () => {
    const names = ["DNS:b.example"];
    expect(await call({ names }, mapped)).toBe("UNAUTHENTICATED UNAUTHENTICATED");
    expect(await call({ names, authorization: await credential(), request: test }, mapped)).toBe("ALLOWED");
  });

  it("does not help a credential that is not valid", async () => {
    const sent = { names: ["DNS:a.example"], authorization: ["Bearer kw_live_x"] };
    expect(await call(sent, mapped)).toBe("UNAUTHENTICATED UNAUTHENTICATED");
  });
});

describe("guesses that come through one caller", () => {
  const client = { ...test, clientIp: "203.0.113.7" };
  const guess = () => ({ ...client, token: generateToken("ord", "test", randomBytes).reveal() });
  const gate: CallerGate = {
    required: false,
    callerOf: (names) => (names.length > 0 ? { apis: [], environment: null } : undefined),
  };

  it("hold up nobody else's keys, whoever the others are and whatever their clients", async () => {
    authority = await createAuthority(undefined, { perMinute: 1 });
    const [weak, strong] = [await credential(), await credential()];
    const callers: readonly Omit<Sent, "request">[] = [
      { authorization: weak },
      { authorization: strong },
      { names: ["DNS:a.example"] },
      { names: ["DNS:b.example"] },
      { peer: "198.51.100.1" },
      { peer: "198.51.100.2" },
    ];
    for (const caller of callers) expect(await call({ ...caller, request: test }, gate)).not.toBe("");
    for (const caller of callers) {
      expect(await call({ ...caller, request: guess() }, gate)).toBe("UNKNOWN_TOKEN");
      expect(await call({ ...caller, request: guess() }, gate)).toBe("RATE_LIMITED");
    }
  });
});

describe("the calls of one turn", () => {
  it("are verified in two groups, one of callers and one of tokens, each caller once", async () => {
    const [one, two] = [await credential(), await credential()];
    const turn = [one, two, one, [], one].map((authorization) => ({ authorization, request: test }));
    await callAll(turn);
    groups = [];
    expect(await callAll(turn)).toEqual(turn.map(() => "ALLOWED"));
    expect(groups).toEqual([2, 5]);
    groups = [];
    await callAll([{ request: test }, { request: test }]);
    expect(groups).toEqual([2]);
  });

  it("are each served or refused for themselves, in whatever order their callers are found out", async () => {
    const [good, scopeless] = [await credential(), await credential({ scopes: [] })];
    await call({ authorization: good, request: test });
    const turn = [good, ["Bearer x"], [], scopeless, await credential(), good];
    const outcomes = await callAll(
      turn.map((authorization) => ({ authorization, request: test })),
      REQUIRED,
    );
    expect(outcomes).toEqual([
      "ALLOWED",
      "UNAUTHENTICATED UNAUTHENTICATED",
      "UNAUTHENTICATED UNAUTHENTICATED",
      "PERMISSION_DENIED INSUFFICIENT_SCOPE",
      "ALLOWED",
      "ALLOWED",
    ]);
  });

  it("from different addresses do not share a credential's verdict", async () => {
    const authorization = await credential({ allowedCidrs: ["192.0.2.1/32"] });
    const from = (peer: string) => ({ authorization, peer, request: test });
    expect(await callAll([from("192.0.2.1"), from("192.0.2.2"), from("192.0.2.1")])).toEqual([
      "ALLOWED",
      "PERMISSION_DENIED IP_NOT_ALLOWED",
      "ALLOWED",
    ]);
  });

  it("cost a credential's rate limit one each, and the first that fit are served", async () => {
    const authorization = await credential({ rateLimits: [{ name: "m", quota: 3, window: 60_000 }] });
    const turn = (length: number) => Array.from({ length }, () => ({ authorization, request: test }));
    expect(await callAll(turn(2))).toEqual(["ALLOWED", "ALLOWED"]);
    expect(await callAll(turn(3))).toEqual([
      "ALLOWED",
      "RESOURCE_EXHAUSTED RATE_LIMITED",
      "RESOURCE_EXHAUSTED RATE_LIMITED",
    ]);
  });

  it("charge no token's quota where their caller is refused", async () => {
    const limited = await authority.key({ rateLimits: [{ name: "m", quota: 1, window: 60_000 }] });
    const request = { ...test, token: limited.token };
    await callAll([{ authorization: ["Bearer x"], request }, { request }], REQUIRED);
    expect(await call({ authorization: await credential(), request }, REQUIRED)).toBe("ALLOWED");
  });
});
