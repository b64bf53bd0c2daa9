import { formatIp, type IpAddress, parseIp, type Words } from "./client-ip.ts";
import type { Parsed } from "./parsed.ts";
import { quote } from "./quote.ts";

/** A network: the addresses of one family that agree with `network` where `mask` has ones. */
export interface Cidr {
  readonly network: IpAddress;
  /** Bits, within the family. */
  readonly prefixLength: number;
  readonly mask: Words;
}

/**
 * Reads a network such as `203.0.113.0/24` or `2001:db8::/32`; a bare address is a network of one. Bits after the
 * prefix must be zero: a network that was meant to be another one is refused, not guessed.
 *
 * A network written in IPv4-mapped form is the IPv4 network that it maps (`::ffff:10.0.0.0/104` is `10.0.0.0/8`), which
 * needs at least 96 bits. An IPv6 network, `::/0` included, contains no IPv4 address, however that one is written.
 */
export function parseCidr(text: string): Parsed<Cidr> {
  const slash = text.indexOf("/");
  const address = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) {
    return { problem: `${quote(text)} is no IPv4 or IPv6 network such as 203.0.113.0/24 or 2001:db8::/32` };
  }
  const written = text.includes(":") ? 128 : 32;
  const bits = slash < 0 ? written : parseBits(text.slice(slash + 1));
  if (bits === undefined || bits > written) {
    return { problem: `${quote(text)}: the prefix length after '/' is a number from 0 to ${written}` };
  }
  const mapping = written === 128 && address.family === 4 ? 96 : 0;
  if (bits < mapping) {
    return { problem: `${quote(text)}: an IPv4-mapped network has at least 96 bits; write it as IPv4` };
  }
  const cidr = cidrOf(address, bits - mapping);
  if (address.words.every((word, index) => word === cidr.network.words[index])) return { value: cidr };
  return {
    problem: `${quote(text)} has bits set after its prefix: did you mean ${formatCidr(cidr)}?`,
  };
}

/** Canonical: the same for every spelling of a network. A network of one keeps its `/32` or `/128`. */
export function formatCidr({ network, prefixLength }: Cidr): string {
  return `${formatIp(network)}/${prefixLength}`;
}

export function cidrContains({ network, mask }: Cidr, ip: IpAddress): boolean {
  if (network.family !== ip.family) return false;
  const ours = network.words;
  const theirs = ip.words;
  // One expression over all four words: a loop costs three times as much, and this runs for every request.
  return (
    (((ours[3] ^ theirs[3]) & mask[3]) |
      ((ours[2] ^ theirs[2]) & mask[2]) |
      ((ours[1] ^ theirs[1]) & mask[1]) |
      ((ours[0] ^ theirs[0]) & mask[0])) ===
    0
  );
}

/** The network of `bits` bits that the address lies in. */
function cidrOf({ family, words }: IpAddress, bits: number): Cidr {
  const before = family === 4 ? 96 : 0;
  const mask: Words = [
    maskWord(bits + before),
    maskWord(bits + before - 32),
    maskWord(bits + before - 64),
    maskWord(bits + before - 96),
  ];
  const network: Words = [words[0] & mask[0], words[1] & mask[1], words[2] & mask[2], words[3] & mask[3]];
  return { network: { family, words: network }, prefixLength: bits, mask };
}

/** A word whose first `ones` bits are set; none below 1, all from 32. */
function maskWord(ones: number): number {
  if (ones <= 0) return 0;
  return ones >= 32 ? -1 : -1 << (32 - ones);
}

function parseBits(text: string): number | undefined {
  return /^(0|[1-9][0-9]{0,2})$/.test(text) ? Number(text) : undefined;
}
