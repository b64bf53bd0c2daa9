import { type Api, BUILT_IN_API } from "./api.ts";
import { formatCidr, parseCidr } from "./cidr.ts";
import { checkList, checkRateLimits, textProblem, violation, YEAR_10000 } from "./field-rules.ts";
import type { Key } from "./key.ts";
import type { FieldViolation } from "./keywarden-error.ts";
import { nearestName } from "./nearest-name.ts";
import { quote } from "./quote.ts";
import { compileGrants, parseGrant, type Scope } from "./scope.ts";
import { isTokenLabel } from "./token.ts";

/** What an admin says of a key. A field that is left out is not checked. */
export type KeyFields = Partial<
  Pick<
    Key,
    "owner" | "displayName" | "scopes" | "allowedCidrs" | "rateLimits" | "metadata" | "binding" | "expireTime"
  > & {
    readonly environment: string;
  }
>;

/** What of an API the rules of its keys depend on. */
type KeyApi = Pick<Api, "id" | "environments" | "scopes">;

const MAX_NAME = 128;
const MAX_SCOPES = 100;
const MAX_CIDRS = 100;
const MAX_METADATA = 32;
const MAX_BOUND_APIS = 100;
const MAX_METADATA_VALUE = 512;
const METADATA_NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** Every rule of key.proto that the fields break. `now`: milliseconds since the epoch. */
export function checkKeyFields(fields: KeyFields, api: KeyApi, now: number): FieldViolation[] {
  const { environment, owner, displayName, scopes, allowedCidrs, rateLimits, metadata, binding, expireTime } =
    fields;
  return [
    ...check(environment, (name) => violation("key.environment", environmentProblem(name, api))),
    ...check(owner, (text) => violation("key.owner", textProblem(text, 1, MAX_NAME))),
    ...check(displayName, (text) => violation("key.display_name", textProblem(text, 0, MAX_NAME))),
    ...check(scopes, (grants) => checkScopes(grants, api)),
    ...check(allowedCidrs, (cidrs) => checkList("key.allowed_cidrs", cidrs, MAX_CIDRS, checkCidr)),
    ...check(rateLimits, (limits) => checkRateLimits("key.rate_limits", limits)),
    ...check(metadata, checkMetadata),
    ...check(binding, (bound) => checkBinding(bound, api)),
    ...check(expireTime, (time) => violation("key.expire_time", expireTimeProblem(time, now))),
  ];
}

/** The same fields as they are stored: networks in one spelling, and nothing twice. They have been checked. */
export function canonicalKeyFields<Fields extends Pick<Key, "scopes" | "allowedCidrs">>(
  fields: Fields,
): Fields {
  return {
    ...fields,
    scopes: [...new Set(fields.scopes)],
    allowedCidrs: [...new Set(fields.allowedCidrs.map(canonicalCidr))],
  };
}

function check<Value>(
  value: Value | undefined,
  rule: (value: Value) => readonly FieldViolation[],
): readonly FieldViolation[] {
  return value === undefined ? [] : rule(value);
}

function environmentProblem(name: string, { id, environments }: KeyApi): string | undefined {
  const names: readonly string[] = environments;
  if (names.includes(name)) return undefined;
  const given = name === "" ? "is required" : `${quote(name)} is no environment of ${id}`;
  return `${given}: it has ${names.join(", ")}`;
}

function checkScopes(grants: readonly string[], { id, scopes }: KeyApi): readonly FieldViolation[] {
  const catalogue = scopes.map(({ name }) => name);
  return checkList("key.scopes", grants, MAX_SCOPES, (field, grant) => {
    const parsed = parseGrant(grant);
    return violation(field, "problem" in parsed ? parsed.problem : catalogueProblem(grant, catalogue, id));
  });
}

function catalogueProblem(grant: string, catalogue: readonly string[], id: string): string | undefined {
  const grants = compileGrants([grant]);
  if (catalogue.length === 0 || catalogue.some((name) => grants.covers(name as Scope))) return undefined;
  const nearest = nearestName(grant, catalogue);
  const hint = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  return `${quote(grant)} covers no scope of ${id}${hint}`;
}

function checkCidr(field: string, text: string): readonly FieldViolation[] {
  const parsed = parseCidr(text);
  return violation(field, "problem" in parsed ? parsed.problem : undefined);
}

function canonicalCidr(text: string): string {
  const parsed = parseCidr(text);
  return "value" in parsed ? formatCidr(parsed.value) : text;
}

function checkMetadata(metadata: Readonly<Record<string, string>>): readonly FieldViolation[] {
  const entries = Object.entries(metadata);
  if (entries.length > MAX_METADATA) {
    return violation("key.metadata", `has at most ${MAX_METADATA} entries, this one ${entries.length}`);
  }
  return entries.flatMap(([name, value]) => {
    const problem = METADATA_NAME.test(name)
      ? textProblem(value, 0, MAX_METADATA_VALUE)
      : "has a name that is not 1 to 64 of a-z, A-Z, 0-9, '.', '_' and '-'";
    return violation(`key.metadata[${quote(name)}]`, problem);
  });
}

function checkBinding(binding: Key["binding"], { id }: KeyApi): readonly FieldViolation[] {
  if (binding === null) return [];
  if (id !== BUILT_IN_API) {
    return violation("key.binding", `is for keys of ${BUILT_IN_API} only: a key of ${id} belongs to ${id}`);
  }
  const { apis, environment } = binding;
  if (apis.length === 0 && environment === null) {
    return violation(
      "key.binding",
      "names an API or an environment; leave it out for a key that is not bound",
    );
  }
  return [
    ...checkList("key.binding.apis", apis, MAX_BOUND_APIS, (field, api) =>
      violation(
        field,
        apis.filter((other) => other === api).length > 1 ? `${quote(api)} is there twice` : undefined,
      ),
    ),
    ...violation(
      "key.binding.environment",
      environment === null || isTokenLabel(environment)
        ? undefined
        : "is 1 to 16 of a-z and 0-9, starting with a letter",
    ),
  ];
}

function expireTimeProblem(time: number | null, now: number): string | undefined {
  if (time === null) return undefined;
  if (!Number.isSafeInteger(time)) return "is an instant, to the millisecond";
  if (time <= now) return "is in the past: a key expires in the future, or never";
  return time < YEAR_10000
    ? undefined
    : "is before the year 10000; leave it out for a key that never expires";
}
