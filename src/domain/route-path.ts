import { quote } from "./quote.ts";

const MAX_LENGTH = 512;
/** RFC 3986 §3.3, without ';' parameters and escapes, which are refused before routing. */
const SEGMENT = /^[A-Za-z0-9._~!$&'()+,=:@-]+$/;
const PARAMETER = /^:[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * What is wrong with a route rule's path, if anything: '/'-separated segments, of which `:name` stands for one and `*`,
 * last, for the rest. A path that no request can have is refused, since its rule would only seem to protect something.
 */
export function routePathProblem(path: string): string | undefined {
  if (!path.startsWith("/")) return "starts with '/'";
  if (path.length > MAX_LENGTH) return `has at most ${MAX_LENGTH} characters, this one ${path.length}`;
  const segments = path.slice(1).split("/");
  return segments
    .map((segment, index) => segmentProblem(segment, index === segments.length - 1))
    .find((problem) => problem !== undefined);
}

function segmentProblem(segment: string, isLast: boolean): string | undefined {
  if (isLast && (segment === "" || segment === "*")) return undefined;
  if (segment === "") return "has an empty segment";
  if (segment.includes("*")) return "has '*' only as its last segment, for the rest; ':name' stands for one";
  if (segment === "." || segment === "..") return "has no '.' or '..' segments";
  if (segment.startsWith(":")) {
    return PARAMETER.test(segment)
      ? undefined
      : `has ${quote(segment)}: after ':' comes a name of letters, digits and '_'`;
  }
  return SEGMENT.test(segment)
    ? undefined
    : `has ${quote(segment)}: write segments without escapes, ';' or '?'`;
}
