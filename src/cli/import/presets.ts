import { IMPORT_FIELDS, type ImportField, isImportField, type Mapped } from "./fields.ts";
import type { HashFormat } from "./token-hash.ts";

/** How another system's export is read. */
interface Preset {
  readonly hash: HashFormat | undefined;
  readonly columns: readonly Mapped[];
}

/** The columns of a home-made table that is named as we name things. */
const GENERIC = Object.keys(IMPORT_FIELDS)
  .filter(isImportField)
  .map((field) => ({ column: field, field }));

/** Where several names are in use (in the database and in the API, or before and after a version), all are here. */
export const PRESETS = {
  unkey: {
    hash: "sha256-base64",
    columns: [
      ...columns("token", "hash"),
      ...columns("token_start", "start"),
      ...columns("owner", "externalId", "external_id", "ownerId", "owner_id", "identity.externalId"),
      ...columns("display_name", "name"),
      ...columns("scopes", "permissions"),
      ...columns("metadata", "meta"),
      ...columns("rate_limits", "ratelimits"),
      ...columns("rate_limit_quota", "ratelimit_limit", "ratelimit.limit"),
      ...columns("rate_limit_window", "ratelimit_duration", "ratelimit.duration"),
      ...columns("expire_time", "expires"),
      ...columns("enabled", "enabled"),
      ...columns("create_time", "created_at_m", "createdAt"),
    ],
  },
  "better-auth": {
    hash: "sha256-base64url",
    columns: [
      ...columns("token", "key"),
      ...columns("token_start", "prefix", "start"),
      ...columns("owner", "referenceId", "reference_id", "userId", "user_id"),
      ...columns("display_name", "name"),
      ...columns("scopes", "permissions"),
      ...columns("metadata", "metadata"),
      ...columns("rate_limit_enabled", "rateLimitEnabled", "rate_limit_enabled"),
      ...columns("rate_limit_quota", "rateLimitMax", "rate_limit_max"),
      ...columns("rate_limit_window", "rateLimitTimeWindow", "rate_limit_time_window"),
      ...columns("expire_time", "expiresAt", "expires_at"),
      ...columns("enabled", "enabled"),
      ...columns("create_time", "createdAt", "created_at"),
    ],
  },
  kong: {
    hash: "plaintext",
    columns: [
      ...columns("token", "key"),
      ...columns(
        "owner",
        "custom_id",
        "username",
        "consumer.custom_id",
        "consumer.username",
        "consumer.id",
        "consumer_id",
      ),
      ...columns("metadata.tags", "tags"),
      ...columns("expire_time", "expires_at"),
      ...columns("ttl_seconds", "ttl"),
      ...columns("create_time", "created_at"),
    ],
  },
  generic: { hash: undefined, columns: GENERIC },
} as const satisfies Record<string, Preset>;

export const PRESET_NAMES = [
  "unkey",
  "better-auth",
  "kong",
  "generic",
] as const satisfies readonly (keyof typeof PRESETS)[];
export type PresetName = (typeof PRESET_NAMES)[number];

function columns(field: ImportField, ...names: readonly string[]): readonly Mapped[] {
  return names.map((column) => ({ column, field }));
}
