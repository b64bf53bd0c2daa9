import { invalidArgument, type KeywardenError } from "../../domain/keywarden-error.ts";

/** The header that has a scheme before the token (RFC 6750 section 2.1); in any other it stands alone. */
const AUTHORIZATION = "authorization";

/** The request itself is at fault: it can't be told which credential it means (RFC 6750 section 3.1, invalid_request). */
export const INVALID_CREDENTIAL = "INVALID_CREDENTIAL";

/**
 * The token that a client presents in the header of this name, of which these are all values; empty without one, or with
 * that of another scheme than Bearer. Throws INVALID_ARGUMENT (INVALID_CREDENTIAL) if there is more than one value, or a
 * comma, with which proxies join several; or if it is no token.
 */
export function credentialOf(name: string, values: readonly string[]): string {
  const [value, ...others] = values;
  if (value === undefined) return "";
  if (others.length > 0 || value.includes(",")) {
    throw refused(name, "must be there once, with one value");
  }
  const trimmed = value.trim();
  if (name !== AUTHORIZATION) return tokenIn(trimmed, name);
  const [, rest] = /^Bearer(?: +(.*))?$/i.exec(trimmed) ?? [];
  if (rest !== undefined) return tokenIn(rest, name);
  if (/^Bearer$/i.test(trimmed)) throw refused(name, "has no token after Bearer");
  return "";
}

function tokenIn(text: string, name: string): string {
  if (/^[\x21-\x7e]*$/.test(text)) return text;
  throw refused(name, "has characters that no token has");
}

function refused(name: string, description: string): KeywardenError {
  return invalidArgument([{ field: name, description }], INVALID_CREDENTIAL);
}
