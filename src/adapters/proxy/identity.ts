import type { Key } from "../../domain/key.ts";
import type { Header } from "./header.ts";

const PARTS = {
  "key-id": ({ id }: Key) => id,
  owner: ({ owner }: Key) => owner,
  scopes: ({ scopes }: Key) => scopes.join(" "),
  environment: ({ environment }: Key) => environment,
  api: ({ api }: Key) => api,
};

/** The names of all headers that `identityHeaders` may set: nobody else may send them to what is behind the proxy. */
export function identityNames(prefix: string): readonly string[] {
  return Object.keys(PARTS).map((part) => `${prefix}${part}`);
}

/** What the server behind a proxy is told of an allowed key. What is empty is left out. */
export function identityHeaders(key: Key, prefix: string): readonly Header[] {
  return Object.entries(PARTS).flatMap(([part, read]): Header[] => {
    const value = headerSafe(read(key));
    return value === "" ? [] : [[`${prefix}${part}`, value]];
  });
}

/**
 * The text with everything but printable ASCII percent-encoded as UTF-8 (RFC 3986 section 2.1), and '%' too, so that
 * decoding gives the text back. Spaces stay, but not at the ends, where proxies take them away.
 */
export function headerSafe(text: string): string {
  return text.toWellFormed().replace(/^ +| +$|[^\x20-\x24\x26-\x7e]+/g, (part) => {
    const bytes = Buffer.from(part).toString("hex").toUpperCase();
    return bytes.replace(/../g, "%$&");
  });
}
