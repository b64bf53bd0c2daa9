import { isIP } from "node:net";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatIp, parseIp } from "./client-ip.ts";

const canonical = (text: string): string | undefined => {
  const ip = parseIp(text);
  return ip === undefined ? undefined : formatIp(ip);
};

describe("an address is read strictly", () => {
  test.each([
    ["203.0.113.7", "203.0.113.7"],
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::"],
    ["::1", "::1"],
    ["2001:DB8::A", "2001:db8::a"],
    ["2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["1::", "1::"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
    ["1:0:0:4:5:0:0:8", "1::4:5:0:0:8"],
    ["0:0:3:0:0:0:7:8", "0:0:3::7:8"],
    ["ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["::FFFF:cb00:7107", "203.0.113.7"],
    ["0:0:0:0:0:ffff:203.0.113.7", "203.0.113.7"],
    ["::203.0.113.7", "::cb00:7107"],
    ["::ffff:0:203.0.113.7", "::ffff:0:cb00:7107"],
    ["1::ffff:203.0.113.7", "1::ffff:cb00:7107"],
    ["0:1::ffff:203.0.113.7", "0:1::ffff:cb00:7107"],
    ["0:0:1::ffff:203.0.113.7", "::1:0:0:ffff:cb00:7107"],
    ["0:0:0:1:0:ffff:203.0.113.7", "::1:0:ffff:cb00:7107"],
    ["::1:ffff:203.0.113.7", "::1:ffff:cb00:7107"],
  ])("%s is %s", (text, expected) => expect(canonical(text)).toBe(expected));

  test.each([
    "",
    " ",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.",
    ".1.2.3",
    "1..2.3",
    "01.2.3.4",
    "1.2.3.04",
    "1.2.3.00",
    "256.1.1.1",
    "1.2.3.256",
    "1.2.3.1000",
    "1.2.3.-4",
    "1.2.3.1-",
    "1.2.3.1/",
    "0x7f.0.0.1",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.4\n",
    "1.2.3.4/32",
    "203.0.113.7:443",
    "[::1]",
    "[::1]:443",
    "fe80::1%eth0",
    "::1%",
    ":",
    ":::",
    "1:::2",
    "1::2::3",
    ":1::",
    "1::2:",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "1:2:3:4::5:6:7:8",
    "12345::",
    "::g",
    "::/",
    "::@",
    "::`",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "1:2:3:4:5:6:7:1.2.3.4",
    "::1.2.3",
    "::01.2.3.4",
    "::ffff:1.2.3.256",
    "１.2.3.4",
    "localhost",
  ])("%j is no address", (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  test("and exactly what node:net takes for one is taken, zones apart", () => {
    const octet = fc.oneof(fc.nat(260).map(String), fc.constantFrom("00", "01", "", "1e1"));
    const group = fc.oneof(
      fc.nat(0xffff).map((value) => value.toString(16)),
      fc.constantFrom("0", "00000", "FFFF", "g", ""),
    );
    const v4 = fc.array(octet, { minLength: 3, maxLength: 5 }).map((parts) => parts.join("."));
    const tail = fc.oneof(fc.constant(""), v4, group);
    const v6 = fc
      .tuple(fc.array(group, { maxLength: 9 }), tail)
      .map(([groups, end]) => [...groups, end].join(":"));
    const text = fc.oneof(v4, v6, fc.ipV4(), fc.ipV6(), fc.string({ unit: fc.constantFrom(..."01f:.") }));
    fc.assert(
      fc.property(text, (sent) => {
        expect(parseIp(sent) !== undefined).toBe(isIP(sent) !== 0);
      }),
      { numRuns: 5000 },
    );
  });
});

describe("an address is written in one way", () => {
  test("for IPv6 the one of RFC 5952, as browsers write it", () => {
    const group = fc.oneof(fc.constant(0), fc.nat(0xffff));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const text = groups.map((value) => value.toString(16).padStart(4, "0")).join(":");
        const ip = parseIp(text);
        fc.pre(ip?.family === 6);
        expect(canonical(text)).toBe(new URL(`http://[${text}]`).hostname.slice(1, -1));
      }),
      { numRuns: 2000 },
    );
  });

  test("and read back as the same address", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const ip = parseIp(text);
        expect(parseIp(canonical(text) ?? "")).toEqual(ip);
      }),
    );
  });

  test("an IPv4 address and its mapped forms are the same", () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        const [a, b, c, d] = text.split(".").map(Number) as [number, number, number, number];
        const hex = `::ffff:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
        expect(parseIp(text)).toMatchObject({ family: 4 });
        expect(parseIp(`::ffff:${text}`)).toEqual(parseIp(text));
        expect(parseIp(hex)).toEqual(parseIp(text));
        expect(canonical(hex)).toBe(text);
      }),
    );
  });
});
