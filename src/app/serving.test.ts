import { expect, it } from "vitest";
import { testApi } from "../../test/support/records.ts";
import type { ApiId, Environment } from "../domain/api.ts";
import { ApiDirectory } from "./api-directory.ts";
import { resolveServing } from "./serving.ts";

const live = "live" as Environment;
const several = testApi();
const single = testApi({ id: "solo" as ApiId, tokenPrefix: "solo", environments: [live] });
const apis = new ApiDirectory([several, single]);
const nothing = { api: "", environment: "" };

it("takes the environment from the request before the server's setting", () => {
  const claim = { api: "orders", environment: "live" };
  expect(resolveServing(claim, apis, "test" as Environment, several)).toEqual({
    api: "orders",
    environment: "live",
  });
});

it("takes the server's setting where the request says nothing", () => {
  expect(resolveServing(nothing, apis, live, several)).toEqual({ api: undefined, environment: "live" });
});

it("takes the API's only environment where nobody says anything", () => {
  expect(resolveServing(nothing, apis, undefined, single)).toEqual({ api: undefined, environment: "live" });
  const claim = { api: "solo", environment: "" };
  expect(resolveServing(claim, apis, undefined, undefined)).toEqual({ api: "solo", environment: "live" });
});

it("passes * on", () => {
  const claim = { api: "orders", environment: "*" };
  expect(resolveServing(claim, apis, live, several)).toEqual({ api: "orders", environment: "*" });
});

it("leaves the environment open where no API is known", () => {
  expect(resolveServing(nothing, apis, undefined, undefined)).toEqual({
    api: undefined,
    environment: undefined,
  });
});

it("does not guess between several: it names them, and every way to say it", () => {
  for (const claim of [nothing, { api: "orders", environment: "" }]) {
    expect(() => resolveServing(claim, apis, undefined, several)).toThrow(
      expect.objectContaining({
        status: "INVALID_ARGUMENT",
        reason: "ENVIRONMENT_REQUIRED",
        message: expect.stringMatching(/test, live.*request.*"\*".*--environment/s),
      }),
    );
  }
});

it("refuses an API that is not there, and an environment that the named API does not have", () => {
  expect(() => resolveServing({ api: "nope", environment: "test" }, apis, live, several)).toThrow(
    expect.objectContaining({ reason: "UNKNOWN_API" }),
  );
  expect(() => resolveServing({ api: "solo", environment: "test" }, apis, live, several)).toThrow(
    expect.objectContaining({ reason: "UNKNOWN_ENVIRONMENT" }),
  );
});
