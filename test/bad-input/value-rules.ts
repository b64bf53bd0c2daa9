import type { StatusName } from "../../src/domain/status.ts";
import type { Meaning } from "./bad-values.ts";

/** What may become of a request: OK, a refusal, or of a verification a denial. */
export type Verdict = StatusName | "DENIED";

/** What a field's comment in the proto allows, said a second time and from another side than the code says it. */
export type Rule = (meaning: Meaning) => readonly Verdict[];

export const OK: readonly Verdict[] = ["OK"];
export const REFUSED: readonly Verdict[] = ["INVALID_ARGUMENT"];
const EITHER: readonly Verdict[] = ["OK", "INVALID_ARGUMENT"];

export const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const LABEL = /^[a-z][a-z0-9]{0,15}$/;
export const API_ID = /^[a-z][a-z0-9-]{0,31}$/;
export const LIMIT_NAME = /^[a-z][a-z0-9_-]{0,31}$/;
export const METADATA_NAME = /^[A-Za-z0-9._-]{1,64}$/;
export const SCOPE = /^(?=.{1,128}$)(?!(?:and|or|not)$)[\w.-]+(?::[\w.-]+){0,7}$/i;
export const GRANT = /^(?=.{1,128}$)(?!(?:and|or|not)$)(?:[\w.-]+|\*)(?::(?:[\w.-]+|\*)){0,7}$/i;
export const EXPRESSION = /^[\w.:\-() \t\r\n]{0,1000}$/;
export const ROUTE = /^\/[\w.~!$&'()+,=:@*/-]{0,511}$/;
export const METHOD = /^[\w!#$%&'*+.^`|~-]{1,32}$/;
export const HASH = /^[0-9a-f]{64}$/;
export const SECOND = 1_000;
const DAY = 86_400_000;
export const YEAR_10000 = Date.UTC(10_000, 0);

/** Texts that satisfy it; unset is the same as empty. */
function texts(isGood: (text: string) => boolean): Rule {
  return (meaning) => {
    if (meaning.kind === "unset") return isGood("") ? OK : REFUSED;
    return meaning.kind === "text" && isGood(meaning.text) ? OK : REFUSED;
  };
}

export function like(pattern: RegExp): Rule {
  return texts((text) => pattern.test(text));
}

/** The same, or nothing. */
export function optional(rule: Rule): Rule {
  return (meaning) =>
    meaning.kind === "unset" || (meaning.kind === "text" && meaning.text === "") ? OK : rule(meaning);
}

/** As the rule says, but what it allows may be refused for other reasons. */
export function atMost(rule: Rule, ...others: readonly Verdict[]): Rule {
  return (meaning) =>
    rule(meaning) === OK ? [...OK, ...(others.length > 0 ? others : REFUSED)] : rule(meaning);
}

/** Names something that must be there: of another one there is none. */
export function existing(pattern: RegExp, ...others: readonly Verdict[]): Rule {
  return atMost(like(pattern), "NOT_FOUND", ...others);
}

export function people(least: number, most: number): Rule {
  return texts((text) => {
    const length = [...text].length;
    const isBlank = text.trim() === "";
    return length <= most && !INVISIBLE.test(text) && !(isBlank && (least > 0 || text !== ""));
  });
}

export function whole(least: bigint, most: bigint): Rule {
  return (meaning) => {
    const number = meaning.kind === "number" ? meaning.number : 0n;
    return number >= least && number <= most ? OK : REFUSED;
  };
}

export function moments(
  isGood: (milliseconds: number, isWhole: boolean) => boolean,
  whenUnset: readonly Verdict[],
): Rule {
  return (meaning) => {
    if (meaning.kind === "unset") return whenUnset;
    if (meaning.kind !== "moment" || meaning.milliseconds === undefined) return REFUSED;
    return isGood(meaning.milliseconds, meaning.isWhole) ? OK : REFUSED;
  };
}

export const anyTime = moments(() => true, OK);
export const future = moments((time) => time > Date.now() && time < YEAR_10000, OK);
export const past = moments((time) => time <= Date.now(), OK);
export const ttl = moments((time) => time >= SECOND && Date.now() + time < YEAR_10000, OK);
export const grace = moments((time) => time >= 0 && time <= 31 * DAY, OK);
export const limitWindow = moments((time, isWhole) => isWhole && time >= SECOND && time <= 31 * DAY, REFUSED);
export const bytes =
  (length: number): Rule =>
  (meaning) =>
    meaning.kind === "bytes" && meaning.length === length ? OK : REFUSED;

/** So many; of the same one twice: as `twice` says. */
export function count(least: number, most: number, twice: readonly Verdict[] = REFUSED): Rule {
  return (meaning) => {
    const length = meaning.kind === "several" ? meaning.count : 0;
    if (length < least || length > most) return REFUSED;
    return length > 1 ? twice : OK;
  };
}

/** The same one twice is one: the last. */
export const labels: Rule = (meaning) =>
  meaning.kind !== "several" || meaning.isTwice || meaning.count <= 32 ? OK : REFUSED;
export const ignored: Rule = () => OK;
export const required: Rule = () => REFUSED;
/** Of a message whose fields are judged one by one. */
export const group: Rule = () => [...EITHER, "NOT_FOUND"];
export const etag: Rule = (meaning) => {
  if (meaning.kind === "unset" || (meaning.kind === "text" && meaning.text === "")) return OK;
  return meaning.kind === "text" && /^\d{1,16}$/.test(meaning.text) ? ["OK", "ABORTED"] : REFUSED;
};
export const pageSize = whole(0n, 2n ** 31n);
export const pageToken = optional(() => REFUSED);
export const keyId = existing(UUID);
export const requestId = optional(like(new RegExp(UUID.source, "i")));
/** What a verification makes of it is a denial, as who guesses is not to learn more. */
export const denied: Rule = () => ["DENIED"];
export const denials =
  (rule: Rule): Rule =>
  (meaning) =>
    rule(meaning) === OK ? ["OK", "DENIED"] : rule(meaning);

/** An empty list is the same as none: an update leaves alone what is not set. */
export function optionalCount(rule: Rule): Rule {
  return (meaning) => (meaning.kind === "unset" ? OK : rule(meaning));
}
