import type { KeyReference } from "../../app/change-key.ts";
import type { ApiReference } from "../../app/current-api.ts";
import type { ApiId, Environment } from "../../domain/api.ts";
import { textProblem } from "../../domain/field-rules.ts";
import type { KeyId } from "../../domain/key.ts";
import { invalidArgument } from "../../domain/keywarden-error.ts";
import { API_ID_RULE, isApiId, isUuid } from "../../domain/record-ids.ts";
import { isTokenLabel } from "../../domain/token.ts";

/** What these refuse is never said back: somebody may have mistaken a token for an id. All throw INVALID_ARGUMENT. */
function refuse(field: string, rule: string, text: string): never {
  const shape = text === "" ? "this is empty" : `this has ${text.length} characters`;
  throw invalidArgument([{ field, description: `${rule}; ${shape}, and is none` }]);
}

/** Etags are revisions. */
const ETAG = /^[0-9]{1,16}$/;
const LONGEST_OWNER = 128;

export function apiIdOf(text: string, field: string): ApiId {
  return isApiId(text) ? (text as ApiId) : refuse(field, API_ID_RULE, text);
}

export function keyIdOf(text: string, field: string): KeyId {
  return isUuid(text) ? (text as KeyId) : refuse(field, "is a key's id, a UUID in lower case", text);
}

/** Empty: any. */
function etagOf(text: string, field: string): string {
  return text === "" || ETAG.test(text)
    ? text
    : refuse(field, "is the etag of the record as it was read, or empty", text);
}

/** `within`: the path of the message that has both, with its point; empty: the request. */
export function keyReferenceOf({ keyId, etag }: KeyReference, within = ""): KeyReference {
  return { keyId: keyIdOf(keyId, `${within}key_id`), etag: etagOf(etag, `${within}etag`) };
}

export function apiReferenceOf({ apiId, etag }: ApiReference, within = ""): ApiReference {
  return { apiId: apiIdOf(apiId, `${within}api_id`), etag: etagOf(etag, `${within}etag`) };
}

/** What a listing is filtered by; empty: not by this. */
export function filterOf<Value>(text: string, field: string, read: (text: string, field: string) => Value) {
  return text === "" ? undefined : read(text, field);
}

export function environmentOf(text: string, field: string): Environment {
  return isTokenLabel(text)
    ? (text as Environment)
    : refuse(field, "is an environment's name, 1 to 16 of a-z and 0-9, starting with a letter", text);
}

/** A key or an API, or an import. */
export function recordIdOf(text: string, field: string): string {
  return isUuid(text) || isApiId(text)
    ? text
    : refuse(field, "is the id of a key, an API or an import", text);
}

/** An owner, or what a name begins with. */
export function peoplesTextOf(text: string, field: string): string {
  const problem = textProblem(text, 1, LONGEST_OWNER);
  if (problem === undefined) return text;
  throw invalidArgument([{ field, description: problem }]);
}
