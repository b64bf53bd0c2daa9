import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { testKey } from "../../../test/support/records.ts";
import type { Verdict } from "../../app/verification.ts";
import { compileKey, type Key } from "../../domain/key.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { REASONS, type Reason } from "../../domain/reason.ts";
import type { Revision } from "../../domain/revision.ts";
import { type CheckResponse, CheckResponseSchema } from "../../gen/envoy/service/auth/v3/external_auth_pb.ts";
import type { ProxyOptions } from "../proxy/proxy-options.ts";
import { type CheckAnswer, checkResponse, strayHeaders } from "./check-response.ts";
import { checkResponseEncoder } from "./check-response-encoder.ts";

const OPTIONS: ProxyOptions = {
  credentialHeader: "authorization",
  forwardCredential: false,
  identityHeaderPrefix: "x-keywarden-",
  forwardedTrust: { kind: "none" },
};
const REASON_NAMES = Object.keys(REASONS) as Reason[];

function verdict(reason: Reason, key: Partial<Key> | null = {}, revision = 7): Verdict {
  return {
    decision: {
      allowed: reason === "ALLOWED",
      reason,
      record: key === null ? undefined : compileKey(testKey(key), 1),
      rateLimit: undefined,
      retryAfter: 0,
      charged: undefined,
      decideTime: 1_000,
    },
    revision: revision as Revision,
    message: "in words",
    wwwAuthenticate: "",
  };
}

function answer(outcome: CheckAnswer["outcome"], strays: readonly string[] = []): CheckAnswer {
  return { outcome, accept: "", strays };
}

const error = (reason: string) =>
  new KeywardenError({ status: "INVALID_ARGUMENT", reason, message: "what is wrong" });

function encoded(encoder: ReturnType<typeof checkResponseEncoder>, given: CheckAnswer): CheckResponse {
  const bytes = Buffer.alloc(encoder.maxSize(given) + 4, 0xff);
  const end = encoder.encode(given, bytes, 3);
  return fromBinary(CheckResponseSchema, bytes.subarray(3, end));
}

function okOf({ httpResponse }: CheckResponse) {
  if (httpResponse.case !== "okResponse") throw new Error(`${httpResponse.case}`);
  return httpResponse.value;
}

describe("a CheckResponse", () => {
  it("denies with a status and a response, unless the verdict allows", () => {
    const denials = [
      ...REASON_NAMES.flatMap((reason) =>
        reason === "ALLOWED" ? [] : [verdict(reason), verdict(reason, null)],
      ),
      ...["INVALID_CREDENTIAL", "UNSAFE_PATH", "NO_ROUTE", "MALFORMED_REQUEST", "ANYTHING"].map(error),
    ];
    for (const outcome of denials) {
      const { status, httpResponse } = checkResponse(answer(outcome), OPTIONS);
      expect(status?.code).toBeGreaterThan(0);
      expect(httpResponse.case).toBe("deniedResponse");
    }
  });

  it("is none for a verdict that allows and has no key", () => {
    expect(() => checkResponse(answer(verdict("ALLOWED", null)), OPTIONS)).toThrow(RangeError);
    const revoked = verdict("REVOKED", null);
    const contradicting = { ...revoked, decision: { ...revoked.decision, allowed: true } };
    expect(checkResponse(answer(contradicting), OPTIONS).httpResponse.case).toBe("deniedResponse");
  });

  it("sets each identity header in place of all that the client has sent", () => {
    const { status, httpResponse } = checkResponse(answer(verdict("ALLOWED")), OPTIONS);
    expect(status?.code).toBe(0);
    const headers = httpResponse.case === "okResponse" ? httpResponse.value.headers : [];
    expect(headers).toHaveLength(5);
    for (const { append, appendAction } of headers) {
      expect(append).toBe(false);
      expect(appendAction).toBe(2);
    }
  });

  it("removes nothing that it sets, as Envoy removes afterwards", () => {
    const strays = ["x-keywarden-owner", "x_keywarden_owner", "x-keywarden-scopes"];
    const whole = okOf(checkResponse(answer(verdict("ALLOWED"), strays), OPTIONS));
    expect(whole.headersToRemove).toEqual(["authorization", "x_keywarden_owner"]);
    const scopeless = okOf(checkResponse(answer(verdict("ALLOWED", { scopes: [] }), strays), OPTIONS));
    expect(scopeless.headersToRemove).toEqual(["authorization", "x_keywarden_owner", "x-keywarden-scopes"]);
  });

  it("lets the credential through only if that is set", () => {
    const forwarding = { ...OPTIONS, forwardCredential: true };
    expect(okOf(checkResponse(answer(verdict("ALLOWED")), forwarding)).headersToRemove).toEqual([]);
    const ofApiKey = { ...OPTIONS, credentialHeader: "x-api-key" };
    expect(okOf(checkResponse(answer(verdict("ALLOWED")), ofApiKey)).headersToRemove).toEqual(["x-api-key"]);
  });

  it("tells the proxy's log what was decided on which key", () => {
    const of = (outcome: CheckAnswer["outcome"]) => checkResponse(answer(outcome), OPTIONS).dynamicMetadata;
    const key = { key_id: testKey().id, owner: "acct_1", api: "orders" };
    expect(of(verdict("ALLOWED"))).toEqual({ ...key, reason: "ALLOWED", revision: 7 });
    expect(of(verdict("REVOKED"))).toEqual({ ...key, reason: "REVOKED", revision: 7 });
    expect(of(verdict("UNKNOWN_TOKEN", null))).toEqual({ reason: "UNKNOWN_TOKEN", revision: 7 });
    expect(of(error("UNSAFE_PATH"))).toEqual({ reason: "UNSAFE_PATH" });
  });

  it("tells the client nothing of a key that was denied", () => {
    const { httpResponse } = checkResponse(answer(verdict("REVOKED", { owner: "acct_secret" })), OPTIONS);
    expect(JSON.stringify(httpResponse)).not.toMatch(/acct_secret|REVOKED/);
  });
});

describe("the encoder", () => {
  it("writes what checkResponse makes, the first time and again, for each revision", () => {
    const encoder = checkResponseEncoder(OPTIONS);
    const outcomes = (revision: number): CheckAnswer["outcome"][] => [
      ...REASON_NAMES.flatMap((reason) => [
        verdict(reason, { scopes: [] }, revision),
        verdict(reason, { owner: "acct_9", revision: 3 as Revision }, revision),
        ...(reason === "ALLOWED" ? [] : [verdict(reason, null, revision)]),
      ]),
      error("UNSAFE_PATH"),
      error("NO_ROUTE"),
    ];
    for (const revision of [0, 1, 2 ** 40, 3]) {
      for (const accept of ["", "text/plain"]) {
        for (const outcome of outcomes(revision)) {
          for (const strays of [[], ["x_keywarden_owner"]]) {
            const given = { outcome, accept, strays };
            expect(encoded(encoder, given)).toEqual(checkResponse(given, OPTIONS));
          }
        }
      }
    }
  });

  it("throws where there is no answer", () => {
    expect(() => checkResponseEncoder(OPTIONS).maxSize(answer(verdict("ALLOWED", null)))).toThrow(RangeError);
  });
});

describe("headers that may be taken for ours", () => {
  it("are those of every spelling, and of the credential all but its own", () => {
    const names = ["authorization", "x_keywarden_owner", "x-keywarden-owner", "x-keywarden-other", "accept"];
    const found = strayHeaders(OPTIONS)(new Map(names.map((name) => [name, []])));
    expect(found).toEqual(["x_keywarden_owner", "x-keywarden-owner"]);
    const ofApiKey = strayHeaders({ ...OPTIONS, credentialHeader: "x-api-key" });
    expect(
      ofApiKey(
        new Map([
          ["x-api-key", []],
          ["x_api.key", []],
        ]),
      ),
    ).toEqual(["x_api.key"]);
  });
});
