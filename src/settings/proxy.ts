import { z } from "zod";
import { type Cidr, parseCidr } from "../domain/cidr.ts";
import type { ForwardedTrust } from "../domain/forwarded-for.ts";

/** What a server is told of the proxies that ask it. */
interface GivenProxy {
  readonly credentialHeader: string;
  readonly forwardCredential: boolean;
  readonly identityHeaderPrefix: string;
  readonly trustedHops: number;
  readonly trustedProxies?: readonly Cidr[] | undefined;
}

/** Headers that the protocol itself, or this door, needs for something else. */
const TAKEN = new Set([
  "accept",
  "connection",
  "content-length",
  "content-type",
  "cookie",
  "host",
  "te",
  "transfer-encoding",
  "upgrade",
  "x-forwarded-for",
]);

/** In lower case. */
export const credentialHeaderName = z.string().transform((text, context): string => {
  const name = text.toLowerCase();
  if (/^[a-z][a-z0-9-]{0,63}$/.test(name) && !TAKEN.has(name)) return name;
  context.addIssue("write the name of a header of its own, such as authorization or x-api-key");
  return z.NEVER;
});

/** In lower case. A short one would take in headers of others. */
export const headerPrefix = z.string().transform((text, context): string => {
  const prefix = text.toLowerCase();
  if (/^x-[a-z0-9-]{1,30}-$/.test(prefix)) return prefix;
  context.addIssue("write what the names of headers begin with, such as x-keywarden-");
  return z.NEVER;
});

export const networkList = z.string().transform((text, context): readonly Cidr[] => {
  const parsed = text.split(",").map((network) => parseCidr(network.trim()));
  const problem = parsed.find((network) => "problem" in network);
  if (problem === undefined) return parsed.flatMap((network) => ("value" in network ? [network.value] : []));
  context.addIssue(
    `write networks with commas between them, such as 10.0.0.0/8,2001:db8::/32 (${problem.problem})`,
  );
  return z.NEVER;
});

export function proxyOptions(given: GivenProxy) {
  const { credentialHeader, forwardCredential, identityHeaderPrefix } = given;
  return { credentialHeader, forwardCredential, identityHeaderPrefix, forwardedTrust: trustOf(given) };
}

function trustOf({ trustedHops, trustedProxies }: GivenProxy): ForwardedTrust {
  if (trustedProxies !== undefined) return { kind: "proxies", networks: trustedProxies };
  return trustedHops === 0 ? { kind: "none" } : { kind: "hops", hops: trustedHops };
}

/** Each way in which they contradict each other. */
export function proxyProblems(given: GivenProxy): readonly string[] {
  const { credentialHeader, identityHeaderPrefix, trustedHops, trustedProxies } = given;
  const problems: string[] = [];
  if (trustedHops > 0 && trustedProxies !== undefined) {
    problems.push(
      "--trusted-hops and --trusted-proxies (KEYWARDEN_TRUSTED_HOPS, KEYWARDEN_TRUSTED_PROXIES) both say which entries of " +
        "X-Forwarded-For to believe: leave one out",
    );
  }
  if (credentialHeader.startsWith(identityHeaderPrefix)) {
    problems.push(
      `--credential-header (KEYWARDEN_CREDENTIAL_HEADER) begins with ${identityHeaderPrefix}, as the headers do that say ` +
        "whose key it was, which no client may send: give it another name, or set --identity-header-prefix",
    );
  }
  return problems;
}
