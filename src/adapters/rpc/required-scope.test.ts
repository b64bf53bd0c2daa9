import { getOption } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type Authority, createAuthority } from "../../../test/support/authority.ts";
import type { ApiId, Environment } from "../../domain/api.ts";
import type { KeywardenError } from "../../domain/keywarden-error.ts";
import { AdminService } from "../../gen/keywarden/v1/admin_service_pb.ts";
import { required_scope } from "../../gen/keywarden/v1/options_pb.ts";
import { SelfService } from "../../gen/keywarden/v1/self_service_pb.ts";
import type { Call } from "../../ports/transport.ts";
import { administrator, requiredScope } from "./required-scope.ts";

it("every method of AdminService declares its scope", () => {
  for (const method of AdminService.methods) {
    expect(getOption(method, required_scope)).toMatch(
      /^(apis:(read|write)|keys:(read|write)|audit:read|usage:read)$/,
    );
  }
});

it("a method that declares none is not served at all", () => {
  const [method] = SelfService.methods;
  expect(() => requiredScope(method!)).toThrow(/declares no required_scope/);
});

const SERVED = "served CREDENTIAL 192.0.2.1";

describe("a credential", () => {
  /** What a call of RevokeKey with these metadata values gets. */
  async function call(authority: Authority, authorization: readonly string[]): Promise<string> {
    const method = AdminService.method.revokeKey;
    const admitted = administrator(callWith(authorization), method, (request) =>
      authority.verifier.verifyOne(request),
    );
    return admitted.then(
      ({ actor }) => `served ${actor.kind} ${actor.ip}`,
      ({ status, reason }: KeywardenError) => `${status} ${reason}`,
    );
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
      expect(await call(authority, [bearer])).toBe(SERVED);
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
    expect(await call(limited, [two])).toBe(SERVED);
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
    expect(await call(authority, [bearer.replace("Bearer", "bearer")])).toBe(SERVED);
  });
});

function callWith(authorization: readonly string[]): Call {
  return {
    deadline: Infinity,
    peer: "192.0.2.1",
    certificateNames: [],
    metadata: (name) => (name === "authorization" ? authorization : []),
    isOver: () => false,
    fail: () => {},
    onCancel: () => {},
  };
}
