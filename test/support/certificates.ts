import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  type JsonGeneralName,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;

/** Both in PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

interface CertificateFields {
  /** Such as `DNS:localhost`, `IP:127.0.0.1` and `URI:spiffe://example/a`. */
  readonly names?: readonly string[];
  readonly from?: Date;
  readonly until?: Date;
}

/** A certificate authority for one test. */
export interface TestAuthority {
  /** Its own certificate, in PEM. */
  readonly cert: string;
  /** A certificate that it has signed; without names, one for a server on this machine. */
  issue(fields?: CertificateFields): Promise<TestCertificate>;
}

const LOCAL = ["DNS:localhost", "IP:127.0.0.1"];

/** `until`: when its own certificate ends. */
export async function createTestAuthority(until = new Date(Date.now() + DAY_MS)): Promise<TestAuthority> {
  const keys = await newKeys();
  const name = `CN=Authority ${randomBytes(4).toString("hex")}`;
  const root = await X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name,
    notBefore: new Date(Date.now() - 10 * DAY_MS),
    notAfter: until,
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  return {
    cert: root.toString("pem"),
    issue: async ({ names = LOCAL, from = new Date(Date.now() - DAY_MS), until: end } = {}) => {
      const own = await newKeys();
      const certificate = await X509CertificateGenerator.create({
        serialNumber: newSerial(),
        subject: "CN=Test",
        issuer: root.subject,
        notBefore: from,
        notAfter: end ?? new Date(Date.now() + DAY_MS),
        signingAlgorithm: ALGORITHM,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names.map(generalName))],
      });
      const key = await webcrypto.subtle.exportKey("pkcs8", own.privateKey);
      return { cert: certificate.toString("pem"), key: PemConverter.encode(key, "PRIVATE KEY") };
    },
  };
}

function generalName(text: string): JsonGeneralName {
  const [kind, ...rest] = text.split(":");
  const type = kind === "DNS" ? "dns" : kind === "IP" ? "ip" : kind === "URI" ? "url" : "email";
  return { type, value: rest.join(":") };
}

function newKeys() {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

function newSerial(): string {
  return `01${randomBytes(8).toString("hex")}`;
}
