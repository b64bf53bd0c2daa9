import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCidr } from "./cidr.ts";
import { formatIp } from "./client-ip.ts";
import { clientAddress, type ForwardedTrust } from "./forwarded-for.ts";

function networks(...texts: string[]) {
  return texts.map((text) => {
    const parsed = parseCidr(text);
    if ("problem" in parsed) throw new Error(parsed.problem);
    return parsed.value;
  });
}

const NONE: ForwardedTrust = { kind: "none" };
const hops = (count: number): ForwardedTrust => ({ kind: "hops", hops: count });
const PROXIES: ForwardedTrust = { kind: "proxies", networks: networks("10.0.0.0/8", "2001:db8::/32") };

describe("the client's address", () => {
  it("is the peer's, whatever X-Forwarded-For says, where no proxy is believed", () => {
    expect(clientAddress("192.0.2.1", "198.51.100.1", NONE)).toBe("192.0.2.1");
  });

  it("is what the proxy added that stands so many hops away", () => {
    expect(clientAddress("", "198.51.100.1, 192.0.2.1", hops(1))).toBe("192.0.2.1");
    expect(clientAddress("", "198.51.100.1, 192.0.2.1", hops(2))).toBe("198.51.100.1");
  });

  it("can't be told where fewer proxies have added something", () => {
    expect(clientAddress("192.0.2.1", "198.51.100.1", hops(2))).toBe("");
    expect(clientAddress("192.0.2.1", "", hops(1))).toBe("");
    expect(clientAddress("192.0.2.1", undefined, hops(1))).toBe("");
    expect(clientAddress("192.0.2.1", "198.51.100.1", hops(0))).toBe("");
  });

  it("is the first from the right that is no proxy's", () => {
    expect(clientAddress("10.0.0.1", "198.51.100.9, 198.51.100.1, 10.0.0.2", PROXIES)).toBe("198.51.100.1");
    expect(clientAddress("2001:db8::1", "198.51.100.1", PROXIES)).toBe("198.51.100.1");
  });

  it("is the peer's where that is no proxy", () => {
    expect(clientAddress("192.0.2.1", "198.51.100.1", PROXIES)).toBe("192.0.2.1");
  });

  it("is the leftmost where all are proxies'", () => {
    expect(clientAddress("10.0.0.1", "10.0.0.3,10.0.0.2", PROXIES)).toBe("10.0.0.3");
    expect(clientAddress("10.0.0.1", undefined, PROXIES)).toBe("10.0.0.1");
  });

  it("can't be told beyond what is no address", () => {
    expect(clientAddress("10.0.0.1", "198.51.100.1, unknown, 10.0.0.2", PROXIES)).toBe("");
    expect(clientAddress("", "198.51.100.1", PROXIES)).toBe("");
    expect(clientAddress("", "_hidden", hops(1))).toBe("");
    expect(clientAddress("", "198.51.100.1,", hops(1))).toBe("");
  });

  it("is read with a port, and mapped into IPv6, as without", () => {
    for (const text of ["192.0.2.7:443", "[::ffff:192.0.2.7]:443", "::ffff:192.0.2.7", " 192.0.2.7 "]) {
      expect(clientAddress("", text, hops(1))).toBe("192.0.2.7");
    }
    expect(clientAddress("", "[2001:db8::7]", hops(1))).toBe("2001:db8::7");
    expect(clientAddress("::ffff:10.0.0.1", "192.0.2.7", PROXIES)).toBe("192.0.2.7");
  });
});

/** What a client may write: addresses of all kinds, those of proxies among them, and nonsense. */
const claimed = fc
  .array(
    fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom("10.0.0.1", "10.255.0.1", "", " ", "unknown", "127.0.0.1:1", "[::1]", "a;b"),
      fc.string({ maxLength: 8 }),
    ),
    { maxLength: 8 },
  )
  .map((entries) => entries.join(","));
const client = fc.ipV4().filter((ip) => !ip.startsWith("10."));
const proxyAddresses = fc.array(
  fc.nat({ max: 255 }).map((last) => formatIp({ family: 4, words: [0, 0, 0, (10 << 24) | last] })),
  { maxLength: 4 },
);

/** What it is after proxies have added their peers: the client's address, and those of all proxies but the last. */
function forwarded(claim: string | undefined, added: readonly string[]): string | undefined {
  const entries = [...(claim === undefined ? [] : [claim]), ...added];
  return entries.length === 0 ? undefined : entries.join(", ");
}

it("cannot be chosen by a client, whatever it writes, where hops are counted", () => {
  fc.assert(
    fc.property(claimed, client, proxyAddresses, (claim, ip, proxies) => {
      const header = forwarded(claim, [ip, ...proxies]);
      expect(clientAddress(ip, header, hops(1 + proxies.length))).toBe(ip);
    }),
  );
});

it("cannot be chosen by a client, whatever it writes, where proxies are known", () => {
  fc.assert(
    fc.property(fc.option(claimed, { nil: undefined }), client, proxyAddresses, (claim, ip, proxies) => {
      const [peer = "", ...added] = [ip, ...proxies].toReversed();
      expect(clientAddress(peer, forwarded(claim, added.toReversed()), PROXIES)).toBe(ip);
    }),
  );
});
