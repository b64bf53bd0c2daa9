import type { X509Certificate } from "node:crypto";

/** `DNS:` or `URI:` and what such a name may look like: what can be written so, and nothing that could hide another. */
const NAME = /^(DNS|URI):[\x21\x23-\x26\x28-\x2b\x2d-\x5b\x5d-\x7e]+$/;
const QUOTED = /"(?:[^"\\]|\\.)*"/g;

/**
 * The names that a certificate is for (RFC 5280 section 4.2.1.6, DNS names and URIs), such as `DNS:a.example` and
 * `URI:spiffe://example/a`. One that has quotes, commas, backslashes, spaces or other than ASCII in it is left out.
 */
export function certificateNames({
  subjectAltName,
}: Pick<X509Certificate, "subjectAltName">): readonly string[] {
  // Node puts a name with such characters between quotes, so that a comma in it does not look like the next name.
  const names = (subjectAltName ?? "").replaceAll(QUOTED, '"').split(", ");
  return names.filter(isCertificateName);
}

export function isCertificateName(text: string): boolean {
  return NAME.test(text);
}
