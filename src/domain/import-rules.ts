import type { Api, Environment } from "./api.ts";
import { violation, YEAR_10000 } from "./field-rules.ts";
import type { Key, KeyState } from "./key.ts";
import { checkKeyFields } from "./key-rules.ts";
import type { FieldViolation } from "./keywarden-error.ts";
import { isPrintable } from "./token.ts";

/** What is said of a key that was issued elsewhere. Times are milliseconds since the epoch. */
export interface ImportedKey
  extends Pick<
    Key,
    "owner" | "displayName" | "scopes" | "allowedCidrs" | "rateLimits" | "metadata" | "expireTime"
  > {
  /** SHA-256 of the token's text as UTF-8. */
  readonly tokenSha256: Uint8Array;
  /** What it starts and ends with, for people. */
  readonly tokenStart: string;
  readonly tokenEnd: string;
  /** Does the token have Keywarden's own shape? */
  readonly isNative: boolean;
  readonly state: Exclude<KeyState, "REVOKED">;
  /** null: not known. */
  readonly createTime: number | null;
}

/** What of an API the rules of its imported keys depend on. */
type ImportingApi = Pick<Api, "id" | "environments" | "scopes" | "importedTokenShapes">;

const HASH_BYTES = 32;
/** More would show too much of a short token. */
const LONGEST_START = 24;
const LONGEST_END = 4;
/** SHA-256 of nothing: what a column of empty tokens comes to. */
const HASH_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Every rule of import.proto that the key breaks; fields begin with "key.". `now`: milliseconds since the epoch. */
export function checkImportedKey(imported: ImportedKey, api: ImportingApi, now: number): FieldViolation[] {
  const { owner, displayName, scopes, allowedCidrs, rateLimits, metadata, expireTime } = imported;
  const fields = { owner, displayName, scopes, allowedCidrs, rateLimits, metadata, expireTime };
  return [
    ...violation("key.token_sha256", hashProblem(imported.tokenSha256)),
    ...violation("key.token_start", partProblem(imported.tokenStart, LONGEST_START)),
    ...violation("key.token_end", partProblem(imported.tokenEnd, LONGEST_END)),
    ...violation("key.native_token", shapeProblem(imported, api)),
    ...checkKeyFields(fields, api, now),
    ...violation("key.create_time", createTimeProblem(imported.createTime, now)),
  ];
}

/** What people see of the token. */
export function importedHint(
  { isNative, tokenStart, tokenEnd }: ImportedKey,
  { tokenPrefix }: Pick<Api, "tokenPrefix">,
  environment: Environment,
): string {
  return `${isNative ? `${tokenPrefix}_${environment}_` : tokenStart}…${tokenEnd}`;
}

function hashProblem(hash: Uint8Array): string | undefined {
  if (hash.length !== HASH_BYTES) {
    return `is the SHA-256 of a token, ${HASH_BYTES} bytes, and this has ${hash.length}`;
  }
  const isOfNothing =
    Buffer.from(hash.buffer, hash.byteOffset, hash.length).toString("hex") === HASH_OF_NOTHING;
  return isOfNothing ? "is the SHA-256 of an empty text, and not of a token" : undefined;
}

function partProblem(text: string, most: number): string | undefined {
  if (text.length <= most && isPrintable(text)) return undefined;
  return `is up to ${most} printable ASCII characters, and this has ${text.length}`;
}

/** A token that no shape admits is never looked up: to import it would be in vain. */
function shapeProblem({ isNative, tokenStart }: ImportedKey, api: ImportingApi): string | undefined {
  if (isNative) return undefined;
  const shapes = api.importedTokenShapes;
  const add =
    "add its shape to imported_token_shapes with keywarden api apply, such as " +
    `{ prefix: "sk_", min_length: 16, max_length: 128 }`;
  if (shapes.length === 0) {
    return `is false, and ${api.id} accepts no tokens but its own, so that this one would never be looked up: ${add}`;
  }
  const isAdmitted = shapes.some(
    ({ prefix }) => tokenStart.startsWith(prefix) || prefix.startsWith(tokenStart),
  );
  if (isAdmitted) return undefined;
  const known = shapes.map(({ prefix }) => JSON.stringify(prefix)).join(", ");
  return `is false, and the token starts with none of the prefixes that ${api.id} accepts (${known}): ${add}`;
}

function createTimeProblem(time: number | null, now: number): string | undefined {
  if (time === null) return undefined;
  if (!Number.isSafeInteger(time) || time >= YEAR_10000) {
    return "is an instant, to the millisecond";
  }
  return time > now ? "is in the future: a key was made before it is imported" : undefined;
}
