import { describe, expect, it } from "vitest";
import { testApi } from "../../test/support/records.ts";
import type { Api, ApiId, Environment } from "../domain/api.ts";
import type { CredentialBinding } from "../domain/key.ts";
import { ApiDirectory } from "./api-directory.ts";
import { resolveServing as resolve, type ServingClaim } from "./serving.ts";

const live = "live" as Environment;
const several = testApi();
const single = testApi({ id: "solo" as ApiId, tokenPrefix: "solo", environments: [live] });
const apis = new ApiDirectory([several, single]);
const nothing = { api: "", environment: "" };

/** As a caller with this binding is served, by a server with this setting. */
function resolveServing(
  claim: ServingClaim,
  environment: Environment | undefined,
  tokenApi: Api | undefined,
  caller: CredentialBinding | null = null,
) {
  const serving = resolve(claim, { apis, environment, tokenApi, caller });
  return { api: serving.api, environment: serving.environment };
}

it("takes the environment from the request before the server's setting", () => {
  const claim = { api: "orders", environment: "live" };
  expect(resolveServing(claim, "test" as Environment, several)).toEqual({
    api: "orders",
    environment: "live",
  });
});

it("takes the server's setting where the request says nothing", () => {
  expect(resolveServing(nothing, live, several)).toEqual({ api: undefined, environment: "live" });
});

it("takes the API's only environment where nobody says anything", () => {
  expect(resolveServing(nothing, undefined, single)).toEqual({ api: undefined, environment: "live" });
  const claim = { api: "solo", environment: "" };
  expect(resolveServing(claim, undefined, undefined)).toEqual({ api: "solo", environment: "live" });
});

it("passes * on", () => {
  const claim = { api: "orders", environment: "*" };
  expect(resolveServing(claim, live, several)).toEqual({ api: "orders", environment: "*" });
});

it("leaves the environment open where no API is known", () => {
  expect(resolveServing(nothing, undefined, undefined)).toEqual({
    api: undefined,
    environment: undefined,
  });
});

it("does not guess between several: it names them, and every way to say it", () => {
  for (const claim of [nothing, { api: "orders", environment: "" }]) {
    expect(() => resolveServing(claim, undefined, several)).toThrow(
      expect.objectContaining({
        status: "INVALID_ARGUMENT",
        reason: "ENVIRONMENT_REQUIRED",
        message: expect.stringMatching(/test, live.*request.*"\*".*--environment/s),
      }),
    );
  }
});

it("refuses an API that is not there, and an environment that the named API does not have", () => {
  expect(() => resolveServing({ api: "nope", environment: "test" }, live, several)).toThrow(
    expect.objectContaining({ reason: "UNKNOWN_API" }),
  );
  expect(() => resolveServing({ api: "solo", environment: "test" }, live, several)).toThrow(
    expect.objectContaining({ reason: "UNKNOWN_ENVIRONMENT" }),
  );
});

describe("a caller that is bound", () => {
  const orders = "orders" as ApiId;
  const solo = "solo" as ApiId;
  const gone = "gone" as ApiId;
  const bound = (ids: readonly ApiId[], environment: Environment | null = null): CredentialBinding => ({
    apis: ids,
    environment,
  });
  const refusal = (claim: ServingClaim, caller: CredentialBinding) => {
    try {
      resolveServing(claim, undefined, several, caller);
    } catch (error) {
      return error;
    }
    return undefined;
  };

  it("to an environment serves it, before the server's setting", () => {
    const test = "test" as Environment;
    expect(resolveServing(nothing, test, several, bound([], live))).toEqual({
      api: undefined,
      environment: "live",
    });
    const same = { api: "", environment: "live" };
    expect(resolveServing(same, test, several, bound([], live)).environment).toBe("live");
  });

  it("to one API serves it without saying so", () => {
    expect(resolveServing(nothing, live, undefined, bound([orders]))).toEqual({
      api: "orders",
      environment: "live",
    });
    expect(resolveServing(nothing, undefined, several, bound([solo]))).toEqual({
      api: "solo",
      environment: "live",
    });
  });

  it("to several APIs serves the one of the token, and of any other token one that it is not of", () => {
    expect(resolveServing(nothing, live, several, bound([solo, orders])).api).toBe("orders");
    const other = testApi({ id: "other" as ApiId, tokenPrefix: "oth" });
    for (const tokenApi of [other, undefined]) {
      expect(resolveServing(nothing, undefined, tokenApi, bound([solo, orders]))).toEqual({
        api: "solo",
        environment: undefined,
      });
    }
  });

  it("to an API that is not there any more serves no token at all", () => {
    expect(resolveServing(nothing, live, several, bound([gone])).api).toBe("gone");
  });

  it("may say what it is bound to, and what it is not bound to is open to it", () => {
    const claim = { api: "orders", environment: "live" };
    expect(resolveServing(claim, undefined, several, bound([solo, orders], live))).toEqual(claim);
    expect(resolveServing(claim, undefined, several, bound([], null))).toEqual(claim);
    const all = { api: "", environment: "*" };
    expect(resolveServing(all, undefined, several, bound([orders])).environment).toBe("*");
  });

  it("cannot be contradicted by a request, which is told the field and what the caller serves", () => {
    expect(refusal({ api: "solo", environment: "" }, bound([orders]))).toMatchObject({
      status: "INVALID_ARGUMENT",
      reason: "CALLER_API",
      violations: [{ field: "api", description: expect.stringContaining("the caller serves orders:") }],
    });
    for (const environment of ["test", "*", "nope"]) {
      expect(refusal({ api: "", environment }, bound([], live))).toMatchObject({
        status: "INVALID_ARGUMENT",
        reason: "CALLER_ENVIRONMENT",
        violations: [
          { field: "environment", description: expect.stringContaining("the caller serves live:") },
        ],
      });
    }
    const both = refusal({ api: "nope", environment: "test" }, bound([orders, solo], live));
    expect(both).toMatchObject({
      reason: "CALLER_API",
      violations: [{ field: "api" }, { field: "environment" }],
    });
  });

  it("to many APIs is told a few of them", () => {
    const many = Array.from({ length: 100 }, (_, index) => `api-${index}` as ApiId);
    expect(refusal({ api: "orders", environment: "" }, bound(many))).toMatchObject({
      message: expect.stringMatching(/serves api-0, api-1, api-2, api-3, api-4 and 95 others:/),
    });
  });
});
