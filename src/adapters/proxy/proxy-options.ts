import type { ForwardedTrust } from "../../domain/forwarded-for.ts";

/** What the doors that proxies come through are set to. */
export interface ProxyOptions {
  /** Where clients put their token; in lower case. `authorization`: after Bearer; any other: alone. */
  readonly credentialHeader: string;
  /** The credential goes on to what is behind the proxy. */
  readonly forwardCredential: boolean;
  /** What the names of the headers begin with that say whose key it was; in lower case. */
  readonly identityHeaderPrefix: string;
  /** Whom to believe about the client's address. */
  readonly forwardedTrust: ForwardedTrust;
}

/** The header that proxies write the addresses of their peers to. */
export const FORWARDED_FOR = "x-forwarded-for";

/** The header in which a client says what it would rather be told in. */
export const ACCEPT = "accept";
