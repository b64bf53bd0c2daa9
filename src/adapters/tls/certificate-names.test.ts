import { X509Certificate } from "node:crypto";
import { expect, it } from "vitest";
import { createTestAuthority } from "../../../test/support/certificates.ts";
import { certificateNames } from "./certificate-names.ts";

async function namesOf(...names: readonly string[]): Promise<readonly string[]> {
  const authority = await createTestAuthority();
  const { cert } = await authority.issue({ names });
  return certificateNames(new X509Certificate(cert));
}

it("a certificate has its DNS names and its URIs, and nothing else", async () => {
  expect(
    await namesOf("URI:spiffe://example/ns/a/sa/b", "DNS:a.example", "IP:127.0.0.1", "EMAIL:a@b.example"),
  ).toEqual(["URI:spiffe://example/ns/a/sa/b", "DNS:a.example"]);
  expect(await namesOf()).toEqual([]);
});

it("no name can smuggle another one in", async () => {
  for (const hostile of [
    "URI:https://x/, DNS:admin.example",
    'URI:https://x/", DNS:admin.example, URI:"',
    "URI:https://x/\\, DNS:admin.example",
    "EMAIL:x, DNS:admin.example",
    "URI:https://x/\nDNS:admin.example",
  ]) {
    expect([hostile, await namesOf(hostile, "DNS:own.example")]).toEqual([hostile, ["DNS:own.example"]]);
  }
});

it("what Node prints between quotes is left out, wherever it stands", () => {
  const subjectAltName = String.raw`URI:"a\", DNS:x", DNS:b, URI:"c, DNS:y", DNS:"z"`;
  expect(certificateNames({ subjectAltName })).toEqual(["DNS:b"]);
});
