import type { Brand } from "./brand.ts";
import type { Parsed } from "./parsed.ts";

/**
 * A request's path that everybody on its way reads alike: without its query, decoded, with no escape left in it.
 * It starts with '/', which stands between its segments; only the last of them may be empty.
 */
export type RequestPath = Brand<string, "RequestPath">;

/** Bytes, which are characters here: nothing but ASCII is let through. */
export const LONGEST_REQUEST_PATH = 8 * 1024;

/** Nothing in it needs a second look: plain characters only (RFC 3986 section 3.3), no empty segment and none of dots. */
const REMARKABLE = /[^A-Za-z0-9._~!$&'()*+,=:@/-]|\/\/|\/\.\.?(?:\/|$)/;

/** What one server takes for one thing and the next for another. The first that is found is what the client is told. */
const AS_SENT: readonly (readonly [RegExp, string])[] = [
  [/[^!-~]/, "has a space, a control character or one beyond ASCII as it is: it has to be escaped"],
  [/#/, "has a '#', behind which nothing belongs to a path"],
  [/\\|%5c/i, "has a backslash (%5C), which some servers take for a slash"],
  [/%2f/i, "has an escaped slash (%2F), which some servers take for a slash"],
  [/;|%3b/i, "has a ';' (%3B), behind which some servers see no path any more"],
  [/%3f|%23/i, "has an escaped '?' or '#' (%3F, %23), behind which some servers see no path any more"],
  [/%25/, "has an escaped '%' (%25), which may be decoded twice"],
  [/%(?![0-9a-f]{2})/i, "has a '%' without two hexadecimal digits"],
  [/\/\//, "has an empty segment (//), which some servers leave out"],
];

const DECODED: readonly (readonly [RegExp, string])[] = [
  [/\p{Cc}/u, "has an escaped control character"],
  [/\/\.\.?(?:\/|$)/, "has a segment '.' or '..', by which some servers go elsewhere"],
];

/**
 * Reads the path of a request as a proxy has received it, up to its query, and refuses what an upstream might read in
 * another way than the rules do. Every escape that is let through is decoded, not only those of unreserved characters
 * (RFC 3986 section 6.2.2.2): what an upstream decodes before it looks for a route then meets the same rule as here.
 * Decoded again, however often, it stays the same. The problem repeats nothing of the path.
 */
export function readRequestPath(target: string): Parsed<RequestPath> {
  const query = target.indexOf("?");
  const path = query === -1 ? target : target.slice(0, query);
  if (!path.startsWith("/")) return { problem: "does not start with '/'" };
  if (path.length > LONGEST_REQUEST_PATH) {
    return { problem: `has at most ${LONGEST_REQUEST_PATH} characters, this one ${path.length}` };
  }
  if (!REMARKABLE.test(path)) return { value: path as RequestPath };
  const problem = firstFound(AS_SENT, path);
  if (problem !== undefined) return { problem };
  const decoded = decodedOnce(path);
  if (decoded === undefined) return { problem: "has escapes that are no UTF-8" };
  const trick = firstFound(DECODED, decoded);
  return trick === undefined ? { value: decoded as RequestPath } : { problem: trick };
}

function firstFound(tricks: typeof AS_SENT, path: string): string | undefined {
  return tricks.find(([pattern]) => pattern.test(path))?.[1];
}

function decodedOnce(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
