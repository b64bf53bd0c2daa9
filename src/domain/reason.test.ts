import { describe, expect, test } from "vitest";
import { publicMessage, REASONS, type Reason, wwwAuthenticate } from "./reason.ts";

const details = {
  realm: "c2p",
  scopes: ["orders:read", "files:read"],
  tokenEnvironment: "test",
  servedEnvironment: "live",
};
const INVALID = 'Bearer realm="c2p", error="invalid_token", error_description="the API key is not valid"';

const environmentMessage = (tokenEnvironment: string | undefined, servedEnvironment: string | undefined) =>
  publicMessage("WRONG_ENVIRONMENT", { tokenEnvironment, servedEnvironment });

describe("the end client is told", () => {
  test.each<[Reason, number, string, string]>([
    ["ALLOWED", 200, "allowed", ""],
    ["MISSING_TOKEN", 401, "an API key is required", 'Bearer realm="c2p"'],
    ["MALFORMED_TOKEN", 401, "the API key is not valid", INVALID],
    ["WRONG_API", 401, "the API key is not valid", INVALID],
    [
      "WRONG_ENVIRONMENT",
      401,
      "a key of one environment does not work in another",
      'Bearer realm="c2p", error="invalid_token", error_description="a test key does not work in live mode"',
    ],
    ["UNKNOWN_TOKEN", 401, "the API key is not valid", INVALID],
    ["REVOKED", 401, "the API key is not valid", INVALID],
    ["DISABLED", 401, "the API key is not valid", INVALID],
    ["EXPIRED", 401, "the API key is not valid", INVALID],
    ["IP_NOT_ALLOWED", 403, "access denied", ""],
    [
      "INSUFFICIENT_SCOPE",
      403,
      "the API key does not have the required scope",
      'Bearer realm="c2p", error="insufficient_scope", ' +
        'error_description="the API key does not have the required scope", scope="orders:read files:read"',
    ],
    ["RATE_LIMITED", 429, "the API key is over its rate limit", ""],
  ])("%s: %i, %s", (reason, httpStatus, message, header) => {
    expect(REASONS[reason]).toMatchObject({ httpStatus, message });
    expect(wwwAuthenticate(reason, details)).toBe(header);
  });

  test("nothing else: there are 12 outcomes", () => expect(Object.keys(REASONS)).toHaveLength(12));
});

describe("a key of the wrong environment", () => {
  test("is told which it is and which is served", () => {
    expect(environmentMessage("live", "test")).toBe("a live key does not work in test mode");
    expect(environmentMessage("acceptance", "live")).toBe("an acceptance key does not work in live mode");
    expect(environmentMessage("preview", "ci")).toBe("a preview key does not work in ci mode");
  });

  test("is told so without names where one is not known", () => {
    expect(environmentMessage(undefined, "live")).toBe("a key of one environment does not work in another");
    expect(environmentMessage("test", undefined)).toBe("a key of one environment does not work in another");
  });

  test("is the only one to hear of environments", () => {
    expect(publicMessage("REVOKED", details)).toBe("the API key is not valid");
  });
});

test("nothing that was sent can break out of the header", () => {
  const sent = 'x", error="none"\r\nSet-Cookie: a=\\b\u{1f511}é\u007f';
  const safe = "x?, error=?none???Set-Cookie: a=?b????";
  const header = wwwAuthenticate("WRONG_ENVIRONMENT", { ...details, realm: sent, servedEnvironment: sent });
  expect(header).toBe(
    `Bearer realm="${safe}", error="invalid_token", error_description="a test key does not work in ${safe} mode"`,
  );
  expect(wwwAuthenticate("INSUFFICIENT_SCOPE", { ...details, scopes: ['a"b'] })).toContain('scope="a?b"');
});
