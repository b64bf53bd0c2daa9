/** What a column may be mapped to, with what it is. */
export const IMPORT_FIELDS = {
  token: "the token, or its hash: see --hash",
  token_start: "what the token starts with, for people",
  token_end: "its last characters, for people",
  owner: "whose key it is",
  display_name: "its name for people",
  scopes: "a list: JSON, or separated by commas or spaces; a JSON object of lists gives name:item",
  allowed_cidrs: "a list of networks",
  metadata: "labels, as a JSON object; metadata.NAME takes a column as one label",
  rate_limits: "limits: a JSON list of objects with name, limit and duration (milliseconds)",
  rate_limit_quota: "of one limit, in place of a list: units within the window",
  rate_limit_window: "milliseconds, or a duration such as 1m; never without the quota",
  rate_limit_enabled: "false: the row has no limit",
  expire_time: "a time (UTC if no zone is said), or seconds or milliseconds since 1970",
  ttl_seconds: "the time left, in seconds",
  enabled: "false: the key is imported disabled",
  create_time: "as expire_time",
} as const;

/** Where a column's value goes: a field, or a label of its own. */
export type ImportField = keyof typeof IMPORT_FIELDS | `metadata.${string}`;

/** A column, and where its value goes. Of several with the same field, the first that says anything counts. */
export interface Mapped {
  readonly column: string;
  readonly field: ImportField;
}

export function isImportField(text: string): text is ImportField {
  return Object.hasOwn(IMPORT_FIELDS, text) || /^metadata\.[A-Za-z0-9._-]{1,64}$/.test(text);
}
