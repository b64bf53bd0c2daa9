import { getOption } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type Authority, createAuthority } from "../../../test/support/authority.ts";
import type { ApiId, Environment } from "../../domain/api.ts";
import { AdminService } from "../../gen/keywarden/v1/admin_service_pb.ts";
import { required_scope } from "../../gen/keywarden/v1/options_pb.ts";
import type { Failure, UnaryCall, UnaryMethod } from "../../ports/transport.ts";
import { requireScope } from "./required-scope.ts";

it("every method of AdminService declares its scope", () => {
  for (const method of AdminService.methods) {
    expect(getOption(method, required_scope)).toMatch(/^(apis|keys):(read|write)$/);
  }
});

/** A method that answers every call that gets to it. */
function open(path: string): UnaryMethod {
  return {
    kind: "unary",
    path,
    request: { decode: () => ({}) },
    response: { maxSize: () => 0, encode: (_message, _bytes, offset) => offset },
    handle: (calls) => {
      for (const call of calls) call.reply("served");
    },
  };
}

it("a method that declares none is not served at all", () => {
  const verifyOne = () => Promise.reject(new Error("not asked"));
  expect(() => requireScope(open("/keywarden.v1.AdminService/Forgotten"), verifyOne)).toThrow(
    /declares no required_scope/,
  );
});

describe("a credential", () => {
  const REVOKE = "/keywarden.v1.AdminService/RevokeKey";

  /** What a call with these metadata values gets. */
  async function call(authority: Authority, authorization: readonly string[]): Promise<string> {
    const outcome = Promise.withResolvers<string>();
    const failed = ({ status, reason }: Failure) => outcome.resolve(`${status} ${reason}`);
    const one: UnaryCall<unknown, unknown> = {
      request: {},
      deadline: Infinity,
      peer: "192.0.2.1",
      metadata: (name) => (name === "authorization" ? authorization : []),
      isOver: () => false,
      fail: failed,
      onCancel: () => {},
      reply: (response) => outcome.resolve(String(response)),
    };
    requireScope(open(REVOKE), (request) => authority.verifier.verifyOne(request)).handle([one]);
    return outcome.promise;
  }

  async function credential(fields: Parameters<Authority["store"]>[0]): Promise<[Authority, string]> {
    const authority = await createAuthority();
    const token = await authority.store({
      api: "keywarden" as ApiId,
      environment: "live" as Environment,
      ...fields,
    });
    return [authority, `Bearer ${token}`];
  }

  it("serves whom its scopes cover, and nobody else", async () => {
    for (const scopes of [["*"], ["keys:*"], ["apis:read", "keys:write"]]) {
      const [authority, bearer] = await credential({ scopes });
      expect(await call(authority, [bearer])).toBe("served");
    }
    for (const scopes of [[], ["keys:read"], ["apis:*"], ["keys"]]) {
      const [authority, bearer] = await credential({ scopes });
      expect(await call(authority, [bearer])).toBe("PERMISSION_DENIED INSUFFICIENT_SCOPE");
    }
  });

  it("is bound to where its key may be used from, and to its limits", async () => {
    const [elsewhere, one] = await credential({ scopes: ["*"], allowedCidrs: ["198.51.100.0/24"] });
    expect(await call(elsewhere, [one])).toBe("PERMISSION_DENIED IP_NOT_ALLOWED");
    const [limited, two] = await credential({
      scopes: ["*"],
      rateLimits: [{ name: "d", quota: 1, window: 60_000 }],
    });
    expect(await call(limited, [two])).toBe("served");
    expect(await call(limited, [two])).toBe("RESOURCE_EXHAUSTED RATE_LIMITED");
  });

  it("serves nobody once it is revoked, disabled or expired, nor a key of another API", async () => {
    for (const fields of [{ state: "REVOKED" as const }, { state: "DISABLED" as const }, { expireTime: 1 }]) {
      const [authority, bearer] = await credential({ scopes: ["*"], ...fields });
      expect(await call(authority, [bearer])).toBe("UNAUTHENTICATED UNAUTHENTICATED");
    }
    const authority = await createAuthority();
    const { token } = await authority.key({ scopes: ["*"] });
    expect(await call(authority, [`Bearer ${token}`])).toBe("UNAUTHENTICATED UNAUTHENTICATED");
  });

  it("must be one, and of the Bearer scheme", async () => {
    const [authority, bearer] = await credential({ scopes: ["*"] });
    for (const values of [
      [],
      [bearer, bearer],
      [`${bearer},`],
      [bearer.slice(7)],
      [`Basic ${bearer.slice(7)}`],
      [`${bearer} x`],
      [""],
    ]) {
      expect(await call(authority, values)).toBe("UNAUTHENTICATED UNAUTHENTICATED");
    }
    expect(await call(authority, [bearer.replace("Bearer", "bearer")])).toBe("served");
  });

  it("that cannot be decided on serves nobody", async () => {
    const outcome = Promise.withResolvers<string>();
    const failing = requireScope(open(REVOKE), () => Promise.reject(new TypeError("a bug")));
    const one: Partial<UnaryCall<unknown, unknown>> = {
      peer: "",
      metadata: () => [],
      fail: ({ status, message }) => outcome.resolve(`${status} ${message}`),
      reply: () => outcome.resolve("served"),
    };
    failing.handle([one as UnaryCall<unknown, unknown>]);
    expect(await outcome.promise).toBe("INTERNAL the admin credential could not be verified");
  });
});
