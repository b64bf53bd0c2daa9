import type { Problem } from "./problem.ts";

/** What OAuth clients read of an error (RFC 6749 section 5.2). */
export interface OAuthError {
  readonly error: string;
  readonly error_description: string;
}

/** By HTTP status. RFC 6749 has no name for what is the server's own doing but at its other endpoint (section 4.1.2.1). */
const ERRORS: Readonly<Record<number, string>> = {
  401: "invalid_client",
  403: "unauthorized_client",
  429: "temporarily_unavailable",
  503: "temporarily_unavailable",
  504: "temporarily_unavailable",
};

export function oauthError({ status, detail }: Problem): OAuthError {
  const error = ERRORS[status] ?? (status >= 500 ? "server_error" : "invalid_request");
  return { error, error_description: describable(detail) };
}

/** What may stand in a description: printable ASCII without quotes and backslashes. */
function describable(text: string): string {
  return text.replaceAll('"', "'").replace(/[^\x20-\x7e]|\\/g, "?");
}
