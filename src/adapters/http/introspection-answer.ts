import type { Verdict } from "../../app/verification.ts";

/** RFC 7662 section 2.2, and what we add under names of our own. Times are seconds since the epoch. */
type IntrospectionAnswer =
  | { readonly active: false }
  | {
      readonly active: true;
      /** The key's grants, wildcards included, separated by spaces. */
      readonly scope: string;
      /** The key's id, as is `jti`. */
      readonly client_id: string;
      readonly token_type: "Bearer";
      /** When the key expires, or this token after a rotation. Undefined: never. */
      readonly exp?: number;
      /** When the token was issued. Undefined: it came with a rotation, whose time is not kept. */
      readonly iat?: number;
      /** The key's owner. */
      readonly sub: string;
      /** The key's API. */
      readonly aud: string;
      readonly iss: string;
      readonly jti: string;
      readonly keywarden_environment: string;
      readonly keywarden_display_name?: string;
      readonly keywarden_metadata?: Readonly<Record<string, string>>;
    };

const INACTIVE = { active: false } as const;

/** Of a token that is denied, whatever for, it says that and nothing else. */
export function introspectionAnswer({ decision }: Verdict, issuer: string): IntrospectionAnswer {
  if (!decision.allowed || decision.record === undefined) return INACTIVE;
  const { key, tokenEnd } = decision.record;
  const end = Math.min(key.expireTime ?? Infinity, tokenEnd);
  const hasMetadata = Object.keys(key.metadata).length > 0;
  return {
    active: true,
    scope: key.scopes.join(" "),
    client_id: key.id,
    token_type: "Bearer",
    ...(end < Infinity && { exp: Math.floor(end / 1000) }),
    ...(key.generation === 1 && { iat: Math.floor(key.createTime / 1000) }),
    sub: key.owner,
    aud: key.api,
    iss: issuer,
    jti: key.id,
    keywarden_environment: key.environment,
    ...(key.displayName !== "" && { keywarden_display_name: key.displayName }),
    ...(hasMetadata && { keywarden_metadata: key.metadata }),
  };
}
