import { INTROSPECTION_PATH } from "./introspection.ts";

/** Where OAuth clients look for the metadata of an issuer (RFC 8414 section 3): before its path, if it has one. */
const WELL_KNOWN = "/.well-known/oauth-authorization-server";

export interface AuthorizationServer {
  /** A URL without a query or a final slash. */
  readonly issuer: string;
  /** Whether client certificates stand for callers (RFC 8705). */
  readonly acceptsCertificates: boolean;
}

export function metadataPaths(issuer: string): readonly string[] {
  const { pathname } = new URL(issuer);
  return pathname === "/" ? [WELL_KNOWN] : [WELL_KNOWN, `${WELL_KNOWN}${pathname}`];
}

/**
 * What OAuth clients may know of this server (RFC 8414 section 2). It issues no tokens to them, so that the lists of what
 * they can ask for are empty: one has to be there, and the other would stand for more if it were not.
 */
export function authorizationServerMetadata({ issuer, acceptsCertificates }: AuthorizationServer) {
  return {
    issuer,
    introspection_endpoint: `${issuer}${INTROSPECTION_PATH}`,
    introspection_endpoint_auth_methods_supported: [
      "client_secret_basic",
      "Bearer",
      ...(acceptsCertificates ? ["tls_client_auth"] : []),
    ],
    response_types_supported: [],
    grant_types_supported: [],
  };
}
