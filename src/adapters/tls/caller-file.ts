import { parseDocument } from "yaml";
import { z } from "zod";
import type { ApiId, Environment } from "../../domain/api.ts";
import type { CredentialBinding } from "../../domain/key.ts";
import { isCertificateName } from "./certificate-names.ts";
import type { NamedFile } from "./read-file.ts";
import { tlsRefusal } from "./tls-refusal.ts";

/** Whom client certificates stand for, by a name of theirs, such as `URI:spiffe://example/orders`; in the file's order. */
export type CertificateCallers = ReadonlyMap<string, CredentialBinding>;

const NAME = "write a URI, such as spiffe://example/orders, or DNS: and a name, such as DNS:orders.example";

const san = z.string(NAME).transform((text, context): string => {
  const name = /^[a-z][a-z0-9+.-]*:\/\//.test(text) ? `URI:${text}` : text;
  if (isCertificateName(name)) return name;
  context.addIssue(NAME);
  return z.NEVER;
});
const api = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, "write the id of an API, such as c2p")
  .transform((id) => id as ApiId);
const environment = z
  .string()
  .regex(/^[a-z][a-z0-9]{0,15}$/, "write the name of an environment, such as live")
  .transform((name) => name as Environment);

const callers = z.array(
  z.strictObject({
    san,
    /** One, or several; left out: any. */
    api: api.optional(),
    apis: z.array(api).min(1, "name an API, or leave it out for any").optional(),
    /** Left out: any. */
    environment: environment.optional(),
  }),
);

/**
 * Reads a list of `{ san, api or apis, environment }` in YAML.
 * Throws FAILED_PRECONDITION TLS_CALLERS_INVALID, with each problem and its place.
 */
export function parseCallerFile(file: NamedFile, content: string): CertificateCallers {
  const parsed = callers.safeParse(yamlOf(file, content));
  if (!parsed.success) {
    throw invalid(
      file,
      parsed.error.issues.map(({ path, message }) => `${placeOf(path)}: ${message}`).join("; "),
    );
  }
  const found = new Map<string, CredentialBinding>();
  for (const [index, entry] of parsed.data.entries()) {
    if (found.has(entry.san)) throw invalid(file, `${placeOf([index])}: its san is there twice`);
    if (entry.api !== undefined && entry.apis !== undefined) {
      throw invalid(file, `${placeOf([index])}: write api or apis, not both`);
    }
    found.set(entry.san, {
      apis: entry.apis ?? (entry.api === undefined ? [] : [entry.api]),
      environment: entry.environment ?? null,
    });
  }
  return found;
}

function yamlOf(file: NamedFile, content: string): unknown {
  const document = parseDocument(content);
  try {
    const [broken] = document.errors;
    if (broken !== undefined) throw broken;
    return document.toJS();
  } catch (error) {
    const [problem = ""] = error instanceof Error ? error.message.split("\n") : [];
    // Only now is it seen that nothing has the name that an asterisk in front refers to.
    const next = error instanceof ReferenceError ? " (write what begins with * between quotes)" : "";
    throw invalid(file, problem + next, error);
  }
}

function placeOf(path: readonly PropertyKey[]): string {
  const [index, ...rest] = path;
  return typeof index === "number" ? ["caller", index + 1, ...rest].join(" ") : "the file";
}

function invalid({ setting, path }: NamedFile, problem: string, cause?: unknown) {
  return tlsRefusal("TLS_CALLERS_INVALID", `${setting} ${path} is no list of callers: ${problem}`, cause);
}
