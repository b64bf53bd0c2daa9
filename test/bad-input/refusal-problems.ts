import type { DescMessage } from "@bufbuild/protobuf";
import { leadsToField } from "./field-places.ts";
import type { Answer } from "./raw-call.ts";

/** Longer than anything that an error may repeat of what was sent. */
const LONGEST_ECHO = 100;
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/u;

/** What a refusal was for. */
interface Asked {
  readonly request: DescMessage;
  /** Where the bad value is; undefined: what the bytes are of can't be told. */
  readonly path: string | undefined;
  /** The bad value, if it is a text. */
  readonly text: string;
  readonly secret: string;
}

/** What is wrong with how a request was refused. */
export function refusalProblems(answer: Answer, { request, path, text, secret }: Asked): readonly string[] {
  const { reason, domain, violations, message } = answer;
  const said = [message, ...violations.flatMap(({ field, description }) => [field, description])];
  const problems = [
    /^[A-Z][A-Z0-9_]+$/.test(reason) ? undefined : `its reason is ${JSON.stringify(reason)}`,
    domain === "keywarden" ? undefined : `its domain is ${JSON.stringify(domain)}`,
    message === "" ? "it has no message" : undefined,
    said.some((part) => part.includes(secret.slice(-20))) ? "it repeats a credential" : undefined,
    said.some((part) => part.includes(secret.slice(0, 20))) ? "it repeats a part of a credential" : undefined,
    isEchoed(text, said) ? "it repeats all of a long value" : undefined,
    said.some((part) => INVISIBLE.test(part))
      ? `it has in it what does not show: ${JSON.stringify(said)}`
      : undefined,
    violations.every(({ description }) => description.length > 5) ? undefined : "a violation says nothing",
  ];
  if (answer.status === "INVALID_ARGUMENT") {
    const strange = violations.filter(({ field }) => !leadsToField(request, field));
    problems.push(
      strange.length > 0
        ? `no field has the name ${strange.map(({ field }) => field).join(" or ")}`
        : undefined,
      path === undefined ||
        violations.some(({ field }) => isAbout(field, path) || isOneofOf(request, field, path))
        ? undefined
        : `it is about ${violations.map(({ field }) => field).join(", ") || "no field"}`,
    );
  }
  return problems.filter((problem) => problem !== undefined);
}

function isEchoed(text: string, said: readonly string[]): boolean {
  const start = text.slice(0, LONGEST_ECHO);
  return start.length === LONGEST_ECHO && said.some((part) => part.includes(start));
}

/** Is it the same field, one around it or one within it? A map's entry has its name in the path, which may be the bad value. */
function isAbout(field: string, path: string): boolean {
  const [named, meant] = [field, path].map((text) => text.replace(/\[".*"\]$/u, ""));
  if (named === undefined || meant === undefined) return false;
  return named === meant || isWithin(named, meant) || isWithin(meant, named);
}

/** Where one of several is missing, it is all the same which. */
function isOneofOf(request: DescMessage, field: string, path: string): boolean {
  return request.oneofs.some(
    ({ name, fields }) => name === field && fields.some((member) => member.name === path),
  );
}

function isWithin(inner: string, outer: string): boolean {
  return inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);
}
