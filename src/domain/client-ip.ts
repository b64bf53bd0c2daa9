/**
 * An IP address as four 32-bit words (signed, as JavaScript's bit operators give them), most significant first. An
 * IPv4 address is in the last word, whether it was written as such or mapped into IPv6 (`::ffff:203.0.113.7`).
 */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly words: Words;
}

export type Words = readonly [number, number, number, number];

const ZERO = 48;
/** Of the third word of IPv4-mapped addresses, ::ffff:0:0/96 (RFC 4291 §2.5.5.2). */
const MAPPED = 0xffff;
const LONGEST = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".length;

/**
 * Reads an IPv4 or IPv6 address. Strict, so that one text means one address to everyone: no leading zeros in IPv4, no
 * zone, port, brackets or white space. Undefined for anything else.
 */
export function parseIp(text: string): IpAddress | undefined {
  if (text.length > LONGEST) return undefined;
  if (!text.includes(":")) {
    const v4 = parseV4(text, 0);
    return v4 === undefined ? undefined : { family: 4, words: [0, 0, 0, v4] };
  }
  const words = parseV6(text);
  if (words === undefined) return undefined;
  if (words[0] === 0 && words[1] === 0 && words[2] === MAPPED) {
    return { family: 4, words: [0, 0, 0, words[3]] };
  }
  return { family: 6, words };
}

/** Dotted, or for IPv6 as RFC 5952 §4 has it. */
export function formatIp({ family, words }: IpAddress): string {
  if (family === 4) return [24, 16, 8, 0].map((shift) => (words[3] >>> shift) & 0xff).join(".");
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  const text = groups.map((group) => group.toString(16));
  const gap = longestZeros(groups);
  if (gap.length < 2) return text.join(":");
  return `${text.slice(0, gap.start).join(":")}::${text.slice(gap.start + gap.length).join(":")}`;
}

/** The first of the longest runs of zeros. */
function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > longest.length) longest = { start, length: index + 1 - start };
  }
  return longest;
}

/** Four decimal numbers from `start` to the text's end, as one word. */
function parseV4(text: string, start: number): number | undefined {
  let word = 0;
  let next = start;
  for (let dots = 0; dots < 4; dots++) {
    const end = dots < 3 ? text.indexOf(".", next) : text.length;
    const octet = octetIn(text, next, end);
    if (octet < 0) return undefined;
    word = (word << 8) | octet;
    next = end + 1;
  }
  return word;
}

/** A number up to 255 without leading zeros; negative if it is none. */
function octetIn(text: string, start: number, end: number): number {
  const length = end - start;
  if (length < 1 || (length > 1 && text.charCodeAt(start) === ZERO)) return -1;
  let octet = 0;
  for (let i = start; i < end; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    octet = octet * 10 + digit;
  }
  return octet > 255 ? -1 : octet;
}

/** "::" stands once, for one or more groups of zeros (RFC 4291 §2.2). */
function parseV6(text: string): Words | undefined {
  const gap = text.indexOf("::");
  const head = groupsIn(text, 0, gap < 0 ? text.length : gap);
  const tail = gap < 0 ? [] : groupsIn(text, gap + 2, text.length);
  if (head === undefined || tail === undefined) return undefined;
  const zeros = 8 - head.length - tail.length;
  if (gap < 0 ? zeros !== 0 : zeros < 1) return undefined;
  while (head.length + tail.length < 8) head.push(0);
  head.push(...tail);
  const word = (index: number): number => ((head[index] ?? 0) << 16) | (head[index + 1] ?? 0);
  return [word(0), word(2), word(4), word(6)];
}

/** Groups of 16 bits between colons; a dotted address, as two of them, at the text's end only. */
function groupsIn(text: string, start: number, end: number): number[] | undefined {
  const groups: number[] = [];
  if (start === end) return groups;
  let stop = start - 1;
  do {
    const next = stop + 1;
    const colon = text.indexOf(":", next);
    stop = colon < 0 ? end : colon;
    const group = groupIn(text, next, stop);
    if (group >= 0) {
      groups.push(group);
    } else {
      // It reads to the text's end, and so takes no colon: only the last group can be one.
      const v4 = parseV4(text, next);
      if (v4 === undefined) return undefined;
      groups.push(v4 >>> 16, v4 & 0xffff);
    }
  } while (stop < end);
  return groups;
}

/** 1 to 4 hexadecimal digits; negative if they are not. */
function groupIn(text: string, start: number, end: number): number {
  if (end <= start || end - start > 4) return -1;
  let group = 0;
  for (let i = start; i < end; i++) {
    const digit = hexDigit(text.charCodeAt(i));
    if (digit < 0) return -1;
    group = (group << 4) | digit;
  }
  return group;
}

function hexDigit(code: number): number {
  if (code >= ZERO && code <= ZERO + 9) return code - ZERO;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
