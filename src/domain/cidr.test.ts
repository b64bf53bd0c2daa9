import { BlockList } from "node:net";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cidrContains, formatCidr, parseCidr } from "./cidr.ts";
import { formatIp, parseIp } from "./client-ip.ts";

function cidrOf(text: string) {
  const parsed = parseCidr(text);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed.value;
}
const contains = (cidr: string, ip: string) => cidrContains(cidrOf(cidr), parseIp(ip)!);

/** The address with these bits the other way round. */
function flipped(ip: string, at: readonly number[]): string {
  const { family, words } = parseIp(ip)!;
  const changed = [...words];
  for (const bit of at) {
    const within = family === 4 ? 96 + (bit % 32) : bit % 128;
    changed[within >>> 5]! ^= 1 << (31 - (within & 31));
  }
  return formatIp({ family, words: changed as unknown as typeof words });
}

describe("a network", () => {
  test.each([
    ["203.0.113.0/24", "203.0.113.0/24"],
    ["203.0.113.7", "203.0.113.7/32"],
    ["203.0.113.7/32", "203.0.113.7/32"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["128.0.0.0/1", "128.0.0.0/1"],
    ["2001:DB8:0::/48", "2001:db8::/48"],
    ["2001:db8::1", "2001:db8::1/128"],
    ["::/0", "::/0"],
    ["fe80::/10", "fe80::/10"],
    ["2001:db8:0:8000::/49", "2001:db8:0:8000::/49"],
    ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
    ["::ffff:a00:0/104", "10.0.0.0/8"],
    ["::ffff:0:0/96", "0.0.0.0/0"],
    ["::ffff:203.0.113.7", "203.0.113.7/32"],
    ["::ffff:203.0.113.7/128", "203.0.113.7/32"],
  ])("%s is %s", (text, expected) => expect(formatCidr(cidrOf(text))).toBe(expected));

  test.each([
    ["", '"" is no IPv4 or IPv6 network such as 203.0.113.0/24 or 2001:db8::/32'],
    ["/24", '"/24" is no IPv4 or IPv6 network such as 203.0.113.0/24 or 2001:db8::/32'],
    ["10.0.0/8", '"10.0.0/8" is no IPv4 or IPv6 network such as 203.0.113.0/24 or 2001:db8::/32'],
    ["10.0.0.0/", "\"10.0.0.0/\": the prefix length after '/' is a number from 0 to 32"],
    ["10.0.0.0/33", "\"10.0.0.0/33\": the prefix length after '/' is a number from 0 to 32"],
    ["10.0.0.0/08", "\"10.0.0.0/08\": the prefix length after '/' is a number from 0 to 32"],
    ["10.0.0.0/8/8", "\"10.0.0.0/8/8\": the prefix length after '/' is a number from 0 to 32"],
    ["10.0.0.0/+8", "\"10.0.0.0/+8\": the prefix length after '/' is a number from 0 to 32"],
    ["10.0.0.0/255.0.0.0", "\"10.0.0.0/255.0.0.0\": the prefix length after '/' is a number from 0 to 32"],
    ["::/129", "\"::/129\": the prefix length after '/' is a number from 0 to 128"],
    ["::/1280", "\"::/1280\": the prefix length after '/' is a number from 0 to 128"],
    ["10.1.2.3/8", '"10.1.2.3/8" has bits set after its prefix: did you mean 10.0.0.0/8?'],
    ["10.0.0.1/31", '"10.0.0.1/31" has bits set after its prefix: did you mean 10.0.0.0/31?'],
    ["0.0.0.1/0", '"0.0.0.1/0" has bits set after its prefix: did you mean 0.0.0.0/0?'],
    ["2001:db8::1/32", '"2001:db8::1/32" has bits set after its prefix: did you mean 2001:db8::/32?'],
    ["8000::/0", '"8000::/0" has bits set after its prefix: did you mean ::/0?'],
    ["2001:db8:1::/32", '"2001:db8:1::/32" has bits set after its prefix: did you mean 2001:db8::/32?'],
    ["2001:db8:0:1::/63", '"2001:db8:0:1::/63" has bits set after its prefix: did you mean 2001:db8::/63?'],
    ["1::1:0:0/64", '"1::1:0:0/64" has bits set after its prefix: did you mean 1::/64?'],
    ["::ffff:10.0.0.1/104", '"::ffff:10.0.0.1/104" has bits set after its prefix: did you mean 10.0.0.0/8?'],
    ["::ffff:0:0/95", '"::ffff:0:0/95": an IPv4-mapped network has at least 96 bits; write it as IPv4'],
  ])("%j is refused", (text, problem) => expect(parseCidr(text)).toEqual({ problem }));
});

describe("a network contains", () => {
  test.each([
    ["203.0.113.0/24", "203.0.113.255", true],
    ["203.0.113.0/24", "203.0.114.0", false],
    ["203.0.113.0/24", "::ffff:203.0.113.9", true],
    ["::ffff:203.0.113.0/120", "203.0.113.9", true],
    ["0.0.0.0/0", "255.255.255.255", true],
    ["0.0.0.0/0", "::1", false],
    ["::/0", "2001:db8::1", true],
    ["::/0", "203.0.113.7", false],
    ["::/0", "::ffff:203.0.113.7", false],
    ["::/64", "::cb00:7107", true],
    ["203.0.113.7", "::cb00:7107", false],
    ["8000::/1", "7fff::", false],
    ["8000::/1", "ffff::", true],
  ])("of %s the address %s: %j", (cidr, ip, expected) => expect(contains(cidr, ip)).toBe(expected));

  test("what node:net's BlockList contains", () => {
    const bits = fc.array(fc.nat(128), { maxLength: 2 });
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(128), bits, (ip, length, at) => {
        const { family } = parseIp(ip)!;
        const prefix = family === 4 ? length % 33 : length;
        const parsed = parseCidr(`${formatIp(parseIp(ip)!)}/${prefix}`);
        const network =
          "value" in parsed ? formatCidr(parsed.value) : /mean (.*)\?$/.exec(parsed.problem)![1]!;
        const other = flipped(ip, at);
        fc.pre(parseIp(other)?.family === family);
        const list = new BlockList();
        list.addSubnet(network.split("/")[0]!, prefix, `ipv${family}`);
        expect(contains(network, other)).toBe(list.check(other, `ipv${family}`));
        expect(formatCidr(cidrOf(network))).toBe(network);
      }),
      { numRuns: 3000 },
    );
  });
});
