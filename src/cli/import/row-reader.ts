import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Parsed } from "../../domain/parsed.ts";
import type { ImportedKeySchema } from "../../gen/keywarden/v1/import_pb.ts";
import type { RateLimit } from "../../gen/keywarden/v1/rate_limit_pb.ts";
import type { ImportField, Mapped } from "./fields.ts";
import { type ListedLimit, parseLimits } from "./limit-list.ts";
import {
  isNothing,
  parseLabels,
  parseList,
  parseMilliseconds,
  parseSwitch,
  parseTime,
  parseWhole,
  textOf,
} from "./row-values.ts";

type ImportedKey = MessageInitShape<typeof ImportedKeySchema>;
/** What is known of a token, as the request has it. */
export type TokenFacts = Pick<ImportedKey, "token" | "tokenStart" | "tokenEnd" | "nativeToken">;

/** What a key gets where its row says nothing. */
export interface RowDefaults {
  readonly owner: string;
  readonly displayName: string;
  readonly scopes: readonly string[];
  readonly allowedCidrs: readonly string[];
  readonly rateLimits: readonly RateLimit[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly expireTime: Timestamp | undefined;
}

export interface RowReaderOptions {
  /** In the order of a row's values. */
  readonly mapped: readonly Mapped[];
  /** The token of a row, or what is wrong with it: `start` and `end` are what its row says. */
  readonly readToken: (text: string, start: string, end: string) => Parsed<TokenFacts>;
  readonly defaults: RowDefaults;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A row as the request has it, or all that is wrong with it: `field: why`. */
export type ReadRow = { readonly key: ImportedKey } | { readonly problems: readonly string[] };

const LIMIT_NAME = "imported";

/** Makes keys of rows. */
export function createRowReader(options: RowReaderOptions): (values: readonly unknown[]) => ReadRow {
  const { mapped, readToken, defaults, now } = options;
  const places = new Map<ImportField, number[]>();
  for (const [index, { field }] of mapped.entries()) places.set(field, [...(places.get(field) ?? []), index]);
  const labels = [...places.keys()].filter((field) => field.startsWith("metadata."));

  return (values) => {
    const problems: string[] = [];
    const given = (field: ImportField): unknown =>
      places
        .get(field)
        ?.map((place) => values[place])
        .find((value) => !isNothing(value));
    const read = <Value, Other>(
      field: ImportField,
      parse: (value: unknown) => Parsed<Value>,
      otherwise: Other,
    ) => {
      const value = given(field);
      if (value === undefined) return otherwise;
      const parsed = parse(value);
      if ("value" in parsed) return parsed.value;
      problems.push(`${field}: ${parsed.problem}`);
      return otherwise;
    };
    const text = (field: ImportField, otherwise: string) => {
      const value = given(field);
      return value === undefined ? otherwise : textOf(value);
    };
    const readRateLimits = () => {
      if (!read("rate_limit_enabled", parseSwitch, true)) return [];
      const listed = read("rate_limits", parseLimits, []);
      if (listed.length > 0) return listed.map(limitOf);
      const quota = read("rate_limit_quota", parseWhole, undefined);
      const window = read("rate_limit_window", parseMilliseconds, undefined);
      const isHalf = (given("rate_limit_quota") === undefined) !== (given("rate_limit_window") === undefined);
      if (isHalf) problems.push("rate_limit_quota, rate_limit_window: only one of them is there");
      if (quota === undefined || window === undefined) return [...defaults.rateLimits];
      return [limitOf({ name: LIMIT_NAME, quota, window })];
    };
    const readTokenOf = () =>
      read(
        "token",
        (value) => readToken(textOf(value), text("token_start", ""), text("token_end", "")),
        undefined,
      );

    const token = readTokenOf();
    if (token === undefined && problems.length === 0) problems.push("token: is required");
    const ttl = read("ttl_seconds", parseWhole, undefined);
    const expireTime = read("expire_time", parseTime, ttl === undefined ? undefined : now() + ttl * 1000);
    const createTime = read("create_time", parseTime, undefined);
    const key: ImportedKey = {
      ...token,
      owner: text("owner", defaults.owner),
      displayName: text("display_name", defaults.displayName),
      scopes: [...read("scopes", parseList, defaults.scopes)],
      allowedCidrs: [...read("allowed_cidrs", parseList, defaults.allowedCidrs)],
      rateLimits: readRateLimits(),
      metadata: {
        ...defaults.metadata,
        ...read("metadata", parseLabels, {}),
        ...Object.fromEntries(
          labels.flatMap((field) => {
            const value = given(field);
            return value === undefined ? [] : [[field.slice("metadata.".length), labelOf(value)]];
          }),
        ),
      },
      ...expiration(expireTime, defaults.expireTime),
      disabled: !read("enabled", parseSwitch, true),
      ...(createTime !== undefined && { createTime: timestampFromMs(createTime) }),
    };
    return problems.length > 0 ? { problems } : { key };
  };
}

/** More than fits in the request is more than the server takes. */
function limitOf({ name, quota, window }: ListedLimit) {
  return { name, quota: Math.min(quota, 0xffff_ffff), window: durationFromMs(window) };
}

function expiration(
  time: number | undefined,
  otherwise: Timestamp | undefined,
): Pick<ImportedKey, "expireTime"> {
  if (time !== undefined) return { expireTime: timestampFromMs(time) };
  return otherwise === undefined ? {} : { expireTime: otherwise };
}

/** A list as people would write it, for a label has no lists. */
function labelOf(value: unknown): string {
  return Array.isArray(value) ? value.map(textOf).join(",") : textOf(value);
}
