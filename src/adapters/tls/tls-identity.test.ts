import { createPrivateKey } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import {
  createTestAuthority,
  type TestAuthority,
  type TestCertificate,
} from "../../../test/support/certificates.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { parseTlsIdentity, type TlsFiles } from "./tls-identity.ts";

const files: TlsFiles = { cert: "/etc/kw/tls.crt", key: "/etc/kw/tls.key", clientCa: undefined };
const withCa: TlsFiles = { ...files, clientCa: "/etc/kw/ca.crt" };
const now = Date.now();

let authority: TestAuthority;
let good: TestCertificate;
let other: TestCertificate;
beforeAll(async () => {
  authority = await createTestAuthority();
  [good, other] = await Promise.all([authority.issue(), authority.issue()]);
});

/** The refusal's reason and message. */
function refusal(contents: readonly string[], of = files): string {
  try {
    parseTlsIdentity(of, contents, now);
  } catch (error) {
    if (error instanceof KeywardenError) return `${error.status} ${error.reason}: ${error.message}`;
    throw error;
  }
  return "taken";
}

describe("a server's certificate", () => {
  it("is taken with its key, its chain, and whatever text stands around them", () => {
    expect(refusal([good.cert, good.key])).toBe("taken");
    expect(refusal([`Bag Attributes\n  a: b\n${good.cert}${authority.cert}`, good.key])).toBe("taken");
    const both = good.key + good.cert;
    expect(refusal([both, both])).toBe("taken");
    const windows = good.cert.replaceAll("\n", "\r\n");
    expect(refusal([windows, good.key])).toBe("taken");
  });

  it("tells its names and its end", async () => {
    const until = new Date(Math.floor(now / 1000) * 1000 + 60_000);
    const { cert, key } = await authority.issue({ until });
    const { expireTime, names } = parseTlsIdentity(files, [cert, key], now);
    expect(expireTime).toBe(until.getTime());
    expect(names).toBe("DNS:localhost, IP Address:127.0.0.1");
    const nameless = await authority.issue({ names: [] });
    expect(parseTlsIdentity(files, [nameless.cert, nameless.key], now).names).toBe("CN=Test");
  });

  it("is refused with another's key, and both files are named", () => {
    expect(refusal([good.cert, other.key])).toMatch(
      /^FAILED_PRECONDITION TLS_MISMATCH: --tls-key \/etc\/kw\/tls\.key .*--tls-cert \/etc\/kw\/tls\.crt: replace both together$/,
    );
  });

  it("is refused before and after its time", async () => {
    const past = await authority.issue({ until: new Date(now - 2000) });
    expect(refusal([past.cert, past.key])).toMatch(
      / TLS_EXPIRED: .*--tls-cert \/etc\/kw\/tls\.crt has expired on 20/,
    );
    const future = await authority.issue({ from: new Date(now + 60_000) });
    expect(refusal([future.cert, future.key])).toMatch(/ TLS_NOT_YET_VALID: .*--tls-cert .*clock/);
  });

  it("is refused at any length of half a file", () => {
    const chain = good.cert + authority.cert;
    for (let length = 0; length < chain.length - 1; length += 7) {
      const boundary = good.cert.trimEnd().length;
      // A file that ends between two certificates is whole, as far as anybody can tell.
      if (length >= boundary && length <= good.cert.length + 4) continue;
      expect([length, refusal([chain.slice(0, length), good.key])]).toEqual([
        length,
        expect.stringMatching(
          / TLS_UNREADABLE: --tls-cert \/etc\/kw\/tls\.crt (is cut off|holds no certificate)/,
        ),
      ]);
    }
    for (let length = 0; length < good.key.trimEnd().length; length += 7) {
      expect(refusal([good.cert, good.key.slice(0, length)])).toMatch(/ TLS_UNREADABLE: --tls-key /);
    }
  });

  it("is refused if it is no PEM, or PEM of something else, and nothing of it is shown", () => {
    const secret = "hunter2";
    for (const wrong of [secret, "", "\u0000\u0001", good.key]) {
      const message = refusal([wrong, good.key]);
      expect(message).toMatch(/ TLS_UNREADABLE: --tls-cert .*BEGIN CERTIFICATE/);
      expect(message).not.toContain(secret);
    }
    const broken = good.cert.replace(/MI/, "AA");
    expect(refusal([broken, good.key])).toMatch(/ TLS_UNREADABLE: .*cannot be read/);
    expect(refusal([good.cert, good.cert])).toMatch(/ TLS_UNREADABLE: --tls-key .*BEGIN PRIVATE KEY/);
    const brokenKey = good.key.replace(/MI/, "AA");
    expect(refusal([good.cert, brokenKey])).toMatch(/ TLS_UNREADABLE: --tls-key .*cannot be read/);
  });

  it("is refused with a key that wants a passphrase", () => {
    const encrypted = createPrivateKey(good.key).export({
      type: "pkcs8",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase: "secret",
    });
    expect(refusal([good.cert, encrypted.toString()])).toMatch(/ TLS_UNREADABLE: --tls-key .*passphrase/);
  });
});

describe("the authorities of clients", () => {
  it("are taken if one of them is valid", async () => {
    const old = await createTestAuthority(new Date(now - 2000));
    expect(refusal([good.cert, good.key, authority.cert], withCa)).toBe("taken");
    expect(refusal([good.cert, good.key, old.cert + authority.cert], withCa)).toBe("taken");
    expect(refusal([good.cert, good.key, old.cert], withCa)).toMatch(
      / TLS_EXPIRED: .*--tls-client-ca \/etc\/kw\/ca\.crt/,
    );
  });

  it("are refused where there are none", () => {
    expect(refusal([good.cert, good.key, "none"], withCa)).toMatch(/ TLS_UNREADABLE: --tls-client-ca /);
  });
});
