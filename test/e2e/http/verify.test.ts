import { fromJson, toJson } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { VerifyKeyResponseSchema } from "../../../src/gen/keywarden/v1/verify_service_pb.ts";
import { httpServerOfTests } from "./http-server.ts";

const server = httpServerOfTests();

describe("POST /v1/verify", () => {
  it("answers what VerifyKey answers, in JSON", async () => {
    const { token, keyId } = await server.createKey({ scopes: ["orders:read"], metadata: { plan: "gold" } });
    const response = await server.post("/v1/verify", { token, requiredScope: "orders:read" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
    const answer = (await response.json()) as Record<string, unknown>;
    expect(answer).toMatchObject({
      allowed: true,
      reason: "REASON_ALLOWED",
      httpStatus: 200,
      key: { keyId, api: "c2p", environment: "test", owner: "acct_1", metadata: { plan: "gold" } },
      revision: expect.stringMatching(/^\d+$/),
      decideTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    const grpc = await server.process.verifyClient().verifyKey({ token, requiredScope: "orders:read" });
    const overGrpc = toJson(VerifyKeyResponseSchema, grpc, { alwaysEmitImplicit: true }) as object;
    expect({ ...overGrpc, decideTime: "" }).toEqual({ ...answer, decideTime: "" });
    expect(fromJson(VerifyKeyResponseSchema, answer as never).allowed).toBe(true);
  });

  it.each([
    [{ token: "" }, "REASON_MISSING_TOKEN", 401],
    [{ token: "nonsense" }, "REASON_MALFORMED_TOKEN", 401],
  ])("answers a denial with 200 and a reason: %o", async (request, reason, httpStatus) => {
    const response = await server.post("/v1/verify", request);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ allowed: false, reason, httpStatus });
  });

  it("takes both spellings of a name, and numbers as texts", async () => {
    const { token } = await server.createKey({ scopes: ["orders:read"] });
    const response = await server.post("/v1/verify", { token, required_scope: "orders:write", cost: "2" });
    expect(await response.json()).toMatchObject({ allowed: false, reason: "REASON_INSUFFICIENT_SCOPE" });
  });

  it("denies a revoked key on the very next request", async () => {
    const { token, keyId } = await server.createKey();
    expect(await (await server.post("/v1/verify", { token })).json()).toMatchObject({ allowed: true });
    await server.process.adminClient().revokeKey({ keyId });
    expect(await (await server.post("/v1/verify", { token })).json()).toMatchObject({
      allowed: false,
      reason: "REASON_REVOKED",
    });
  });

  it("says what is wrong with a request, as gRPC does", async () => {
    const response = await server.post("/v1/verify", { token: "x", requiredScope: "(" });
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toContain("application/problem+json");
    expect(await response.json()).toMatchObject({
      type: "about:blank",
      title: "Bad Request",
      status: 400,
      code: "INVALID_ARGUMENT",
      violations: [{ field: "required_scope" }],
    });
  });

  it("refuses a credential that is not valid, even where none is needed", async () => {
    const response = await server.post("/v1/verify", {}, { authorization: "Bearer nonsense" });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe('Bearer realm="keywarden", error="invalid_token"');
  });
});

describe("POST /v1/verify:batch", () => {
  it("answers each, errors among them", async () => {
    const { token } = await server.createKey();
    const response = await server.post("/v1/verify:batch", {
      requests: [{ token }, { token: "x" }, { token, cost: 2_000_000 }],
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      results: [
        { response: { allowed: true } },
        { response: { allowed: false, reason: "REASON_MALFORMED_TOKEN" } },
        {
          error: {
            code: 3,
            details: [
              {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                reason: "INVALID_COST",
                domain: "keywarden",
              },
              { "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: [{ field: "cost" }] },
            ],
          },
        },
      ],
    });
  });

  it.each([[[]], [Array.from({ length: 101 }, () => ({}))]])(
    "refuses none and too many",
    async (requests) => {
      const response = await server.post("/v1/verify:batch", { requests });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ violations: [{ field: "requests" }] });
    },
  );
});
