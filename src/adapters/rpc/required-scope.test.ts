import { readdirSync } from "node:fs";
import {
  create,
  createFileRegistry,
  type DescMethod,
  type DescService,
  setExtension,
} from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { type Authority, createAuthority } from "../../../test/support/authority.ts";
import type { ApiId, Environment } from "../../domain/api.ts";
import { BUILT_IN_SCOPES } from "../../domain/delegation.ts";
import type { KeywardenError } from "../../domain/keywarden-error.ts";
import { AdminService } from "../../gen/keywarden/v1/admin_service_pb.ts";
import { own_key, required_scope } from "../../gen/keywarden/v1/options_pb.ts";
import { SelfService } from "../../gen/keywarden/v1/self_service_pb.ts";
import { VerifyService } from "../../gen/keywarden/v1/verify_service_pb.ts";
import type { Call } from "../../ports/transport.ts";
import { admitted, requiredScope, requirementOf } from "./required-scope.ts";

/** Every service that Keywarden's own proto files define. */
async function services(): Promise<readonly DescService[]> {
  const directory = new URL("../../gen/keywarden/v1/", import.meta.url);
  const modules = await Promise.all(
    readdirSync(directory).map((file) => import(new URL(file, directory).href)),
  );
  const exported: readonly unknown[] = modules.flatMap((module) => Object.values(module));
  return exported.filter(isService);
}

function isService(value: unknown): value is DescService {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "service";
}

/** A method as its proto could declare it. */
function declared(...options: readonly string[]): DescMethod {
  const path = "probe.proto";
  const file = create(FileDescriptorProtoSchema, {
    name: path,
    package: "probe",
    syntax: "proto3",
    messageType: [{ name: "Nothing" }],
    service: [
      { name: "Probe", method: [{ name: "Ask", inputType: ".probe.Nothing", outputType: ".probe.Nothing" }] },
    ],
  });
  const methodOptions = create(MethodOptionsSchema);
  if (options.includes("empty scope")) setExtension(methodOptions, required_scope, "");
  if (options.includes("scope")) setExtension(methodOptions, required_scope, "keys:read");
  if (options.includes("own key")) setExtension(methodOptions, own_key, true);
  if (options.includes("not own key")) setExtension(methodOptions, own_key, false);
  file.service[0]!.method[0]!.options = methodOptions;
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }));
  return registry.getService("probe.Probe")!.methods[0]!;
}

describe("every RPC", () => {
  it("of every service declares the scope it needs, which somebody can hold, or that it is about the caller's own key", async () => {
    const names = BUILT_IN_SCOPES.map(({ name }) => name);
    const all = await services();
    expect(all.map(({ typeName }) => typeName).toSorted()).toEqual([
      "keywarden.v1.AdminService",
      "keywarden.v1.SelfService",
      "keywarden.v1.VerifyService",
    ]);
    for (const method of all.flatMap(({ methods }) => methods)) {
      const requirement = requirementOf(method);
      if (requirement !== "own key") expect(names).toContain(requirement.scope);
      expect(requirement === "own key").toBe(method.parent.typeName === SelfService.typeName);
    }
    for (const { methods } of all.filter(({ typeName }) => typeName === VerifyService.typeName)) {
      expect(methods.map(requiredScope)).toEqual(methods.map(() => "verify:call"));
    }
  });

  it.each([
    ["nothing", []],
    ["an empty scope", ["empty scope"]],
    ["that it is not about the caller's own key", ["not own key"]],
    ["two things at once", ["scope", "own key"]],
  ])("that declares %s is not served at all", (_what, options) => {
    expect(() => requirementOf(declared(...options))).toThrow(/declares (both|neither)/);
  });

  it("is served if it declares one of both", () => {
    expect(requirementOf(declared("scope"))).toEqual({ scope: "keys:read" });
    expect(requirementOf(declared("own key"))).toBe("own key");
  });

  it("on the data plane has a scope: a caller is no holder", () => {
    expect(() => requiredScope(SelfService.method.getOwnKey)).toThrow(/requires no scope/);
  });
});

const SERVED = "served CREDENTIAL 192.0.2.1";

describe("a credential", () => {
  /** What a call of RevokeKey with these metadata values gets. */
  async function call(authority: Authority, authorization: readonly string[]): Promise<string> {
    const method = AdminService.method.revokeKey;
    const caller = admitted(callWith(authorization), method, (request) =>
      authority.verifier.verifyOne(request),
    );
    return caller.then(
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
