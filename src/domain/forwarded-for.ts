import { type Cidr, cidrContains } from "./cidr.ts";
import { formatIp, type IpAddress, parseIp } from "./client-ip.ts";

/** Which entries of X-Forwarded-For were written by proxies that are believed. */
export type ForwardedTrust =
  /** None: whoever connects to the proxy is the client. */
  | { readonly kind: "none" }
  /** The last so many, from 1: one for each proxy between the client and us, which all add the address of their peer. */
  | { readonly kind: "hops"; readonly hops: number }
  /** Those that proxies of these networks have added. */
  | { readonly kind: "proxies"; readonly networks: readonly Cidr[] };

/**
 * The end client's address; empty if it can't be told. Proxies add to the header on its right, so it is read from there, and
 * only as far as what is believed: whatever a client writes into it stands left of that and is never looked at.
 *
 * `peer` is the address of whoever connected to the proxy, as the proxy says it; `header` is all values of
 * X-Forwarded-For, joined by commas, or undefined without one.
 */
export function clientAddress(peer: string, header: string | undefined, trust: ForwardedTrust): string {
  switch (trust.kind) {
    case "none":
      return peer;
    case "hops":
      return textOf(parseEntry(hopAway(header, trust.hops)));
    case "proxies":
      return textOf(beyondProxies(peer, header, trust.networks));
  }
}

/** What the proxy has added that is so many hops away; empty without it. */
function hopAway(header: string | undefined, hops: number): string {
  return hops >= 1 ? (header?.split(",").at(-hops) ?? "") : "";
}

/** The first address from the right, that of the peer before all, which is no proxy's; the leftmost if all are proxies'. */
function beyondProxies(
  peer: string,
  header: string | undefined,
  networks: readonly Cidr[],
): IpAddress | undefined {
  const entries = header === undefined ? [peer] : [...header.split(","), peer];
  let address: IpAddress | undefined;
  for (const entry of entries.toReversed()) {
    address = parseEntry(entry);
    if (address === undefined || !isProxy(address, networks)) break;
  }
  return address;
}

function isProxy(address: IpAddress, networks: readonly Cidr[]): boolean {
  return networks.some((network) => cidrContains(network, address));
}

/** Some proxies add the port of the peer, and brackets around IPv6. */
function parseEntry(text: string): IpAddress | undefined {
  const entry = text.trim();
  const [, bracketed, dotted] = /^\[([^\]]*)\](?::\d{1,5})?$|^([\d.]+):\d{1,5}$/.exec(entry) ?? [];
  return parseIp(bracketed ?? dotted ?? entry);
}

function textOf(address: IpAddress | undefined): string {
  return address === undefined ? "" : formatIp(address);
}
