import { describe, expect, it } from "vitest";
import { testKey } from "../../../test/support/records.ts";
import type { Verdict } from "../../app/verification.ts";
import { compileKey } from "../../domain/key.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { publicMessage, REASONS, type Reason, wwwAuthenticate } from "../../domain/reason.ts";
import type { Revision } from "../../domain/revision.ts";
import { Status, type StatusName } from "../../domain/status.ts";
import { denialOf, isMisconfiguration, isOwnFailure } from "./denial.ts";

const DETAILS = {
  realm: "orders",
  scopes: ["orders:write"],
  tokenEnvironment: "test",
  servedEnvironment: "live",
};
const REASON_NAMES = Object.keys(REASONS) as Reason[];

function verdict(reason: Reason, fields: Partial<Verdict["decision"]> = {}): Verdict {
  return {
    decision: {
      allowed: reason === "ALLOWED",
      reason,
      record: undefined,
      rateLimit: undefined,
      retryAfter: 0,
      charged: undefined,
      decideTime: 1_000,
      ...fields,
    },
    revision: 7 as Revision,
    message: publicMessage(reason, DETAILS),
    wwwAuthenticate: wwwAuthenticate(reason, DETAILS),
  };
}

function error(status: Exclude<StatusName, "OK">, reason: string = status): KeywardenError {
  return new KeywardenError({ status, reason, message: "for those who look into the log" });
}

const problemOf = (outcome: Verdict | KeywardenError) => JSON.parse(denialOf(outcome, "").body);

describe("a verdict", () => {
  it("has the status, the challenge and the words of its reason", () => {
    for (const reason of REASON_NAMES.filter((name) => name !== "ALLOWED")) {
      const { status, headers, body } = denialOf(verdict(reason), "*/*");
      const { httpStatus, message } = REASONS[reason];
      expect(status).toBe(httpStatus);
      expect(Object.fromEntries(headers)["www-authenticate"] ?? "").toBe(wwwAuthenticate(reason, DETAILS));
      expect(JSON.parse(body)).toMatchObject({
        type: "about:blank",
        status: httpStatus,
        detail: reason === "WRONG_ENVIRONMENT" ? "a test key does not work in live mode" : message,
      });
    }
  });

  it("never says what is wrong with a token that is not valid", () => {
    const told = REASON_NAMES.filter(
      (reason) => reason !== "ALLOWED" && "reason" in problemOf(verdict(reason)),
    );
    expect(told).toEqual([
      "MISSING_TOKEN",
      "WRONG_ENVIRONMENT",
      "IP_NOT_ALLOWED",
      "INSUFFICIENT_SCOPE",
      "RATE_LIMITED",
    ]);
  });

  it("says all limits of the key, where it stands with one, and when to come back", () => {
    const limits = [
      { name: 'a"b', quota: 100, window: 60_000 },
      { name: "daily", quota: 1_000, window: 86_400_000 },
    ];
    const [limit] = limits;
    const { headers } = denialOf(
      verdict("RATE_LIMITED", {
        record: compileKey(testKey({ rateLimits: limits }), 1),
        rateLimit: { limit: limit!, remaining: 3, resetAfter: 29_001 },
        retryAfter: 30,
      }),
      "",
    );
    expect(Object.fromEntries(headers)).toMatchObject({
      "retry-after": "30",
      ratelimit: '"a\\"b";r=3;t=30',
      "ratelimit-policy": '"a\\"b";q=100;w=60, "daily";q=1000;w=86400',
    });
  });

  it("is plain text for who would rather have that", () => {
    const { headers, body } = denialOf(verdict("MISSING_TOKEN"), "text/plain");
    expect(body).toBe("an API key is required\n");
    expect(headers).toContainEqual(["content-type", "text/plain; charset=utf-8"]);
  });

  it("that allows is no denial", () => {
    expect(() => denialOf(verdict("ALLOWED"), "")).toThrow(RangeError);
  });
});

describe("an error", () => {
  it("is ours unless the request or the proxy's configuration is wrong", () => {
    const statuses = Object.keys(Status).filter((name): name is Exclude<StatusName, "OK"> => name !== "OK");
    expect(statuses.filter((status) => !isOwnFailure(error(status)))).toEqual([
      "INVALID_ARGUMENT",
      "PERMISSION_DENIED",
    ]);
    for (const status of statuses.filter((name) => isOwnFailure(error(name, "UNSAFE_PATH")))) {
      expect(denialOf(error(status, "UNSAFE_PATH"), "").status).toBe(503);
    }
  });

  it("has a status of its own where the client can help it", () => {
    const byReason = Object.fromEntries(
      ["INVALID_CREDENTIAL", "MALFORMED_REQUEST", "UNSAFE_PATH", "API_REQUIRED"].map((reason) => {
        expect(isMisconfiguration(error("INVALID_ARGUMENT", reason))).toBe(false);
        return [reason, denialOf(error("INVALID_ARGUMENT", reason), "").status];
      }),
    );
    expect(byReason).toEqual({
      INVALID_CREDENTIAL: 400,
      MALFORMED_REQUEST: 400,
      UNSAFE_PATH: 400,
      API_REQUIRED: 401,
    });
    expect(denialOf(error("PERMISSION_DENIED", "NO_ROUTE"), "").status).toBe(403);
    expect(isMisconfiguration(error("PERMISSION_DENIED", "NO_ROUTE"))).toBe(false);
  });

  it("denies, and is to be looked at, where only the operator can", () => {
    const unknown = error("INVALID_ARGUMENT", "UNKNOWN_API");
    expect(isMisconfiguration(unknown)).toBe(true);
    expect(problemOf(unknown)).toMatchObject({ status: 403, detail: "access denied" });
  });

  it("says nothing of what is behind it", () => {
    for (const one of [
      error("INTERNAL"),
      error("INVALID_ARGUMENT", "UNKNOWN_API"),
      error("PERMISSION_DENIED"),
    ]) {
      expect(denialOf(one, "").body).not.toContain("log");
    }
  });
});
