import { bearerToken } from "../rpc/required-scope.ts";
import { decodeFormText } from "./form.ts";
import { BEARER_CHALLENGE, type Problem } from "./problem.ts";

const BASIC_CHALLENGE = 'Basic realm="keywarden", charset="UTF-8"';

/**
 * The values of Authorization with HTTP Basic (RFC 7617) as the Bearer credential that its password is, as OAuth clients
 * send one (RFC 6749 section 2.3.1: both parts form-encoded). Any client id will do that is not empty: the credential tells
 * who it is. What can't be read stays as it was.
 */
export function credentialOf(values: readonly string[]): readonly string[] {
  const [value = "", ...others] = values;
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(value) ?? [];
  if (encoded === undefined || others.length > 0) return values;
  const text = Buffer.from(encoded, "base64").toString("latin1");
  const colon = text.indexOf(":");
  if (colon < 1) return values;
  const secret = decodeFormText(text.slice(colon + 1));
  return secret === undefined ? values : [`Bearer ${secret}`];
}

/** What a client is told in WWW-Authenticate (RFC 6750 section 3) that was refused for its credential; undefined: nothing. */
export function bearerChallenge({ code, reason }: Problem, values: readonly string[]): string | undefined {
  if (code === "UNAUTHENTICATED") {
    return bearerToken(values) ? `${BEARER_CHALLENGE}, error="invalid_token"` : BEARER_CHALLENGE;
  }
  if (reason !== "INSUFFICIENT_SCOPE") return undefined;
  return `${BEARER_CHALLENGE}, error="insufficient_scope", scope="verify:call"`;
}

/** The same where HTTP Basic is accepted too. */
export function clientChallenges(answer: Problem, values: readonly string[]): readonly string[] {
  const bearer = bearerChallenge(answer, values);
  if (bearer === undefined) return [];
  return answer.status === 401 ? [BASIC_CHALLENGE, bearer] : [bearer];
}
