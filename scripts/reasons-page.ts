import { readFileSync } from "node:fs";
import { publicMessage, REASONS, type Reason, wwwAuthenticate } from "../src/domain/reason.ts";
import { markdownTable } from "./markdown-table.ts";

const PROTO = new URL("../proto/keywarden/v1/verify_service.proto", import.meta.url);

/** What the proto says of each reason, by its name. */
function meanings(): ReadonlyMap<string, string> {
  const comments = readFileSync(PROTO, "utf8").matchAll(/((?: {2}\/\/ .*\n)+) {2}REASON_(\w+) = \d+;/g);
  return new Map(
    [...comments].map(([, text = "", name = ""]) => [name, text.replace(/\s*\/\/ /g, " ").trim()]),
  );
}

const EXAMPLE = {
  realm: "c2p",
  scopes: ["orders:read"],
  tokenEnvironment: "test",
  servedEnvironment: "live",
};

function code(text: string): string {
  return text === "" ? "" : `\`${text}\``;
}

/** docs/reference/reasons.md, made from the proto and the table that every door answers from. */
export function reasonsPage(): string {
  const when = meanings();
  const reasons = Object.keys(REASONS) as Reason[];
  return `<!-- Made by \`npm run generate\` from proto/keywarden/v1/verify_service.proto and src/domain/reason.ts. -->
# Reasons

Every verification has exactly one outcome. The checks are made in this order, and the first that fails gives the
reason. \`reason\` is for the backend and its logs; the rest may be passed on to the end client, and says the same of
every token that is not valid, so that a guesser learns nothing.

${markdownTable(
  ["reason", "when", "HTTP", "message"],
  reasons.map((reason) => [
    code(reason),
    when.get(reason) ?? "",
    String(REASONS[reason].httpStatus),
    publicMessage(reason, EXAMPLE),
  ]),
)}

What \`www_authenticate\` holds (RFC 6750 §3), for an API \`c2p\`, a call that needs \`orders:read\`, and a test key in
live mode:

${markdownTable(
  ["reason", "WWW-Authenticate"],
  reasons.flatMap((reason) => {
    const value = wwwAuthenticate(reason, EXAMPLE);
    return value === "" ? [] : [[code(reason), code(value)]];
  }),
)}

RATE_LIMITED comes with \`retry_after\`, in whole seconds, and \`rate_limit\`. A gRPC error means "could not decide":
a client treats it as a denial.
`;
}
