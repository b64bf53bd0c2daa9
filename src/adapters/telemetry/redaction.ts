export const REDACTED = "[redacted]";

/** Of a field: a name that says that it holds a secret, however it is written (`adminToken`, `x-api-key`, `SEAL_KEY`). */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  "token",
  "tokens",
  "admintoken",
  "accesstoken",
  "authorization",
  "proxyauthorization",
  "bearer",
  "cookie",
  "setcookie",
  "secret",
  "secrets",
  "clientsecret",
  "password",
  "passphrase",
  "pepper",
  "peppers",
  "sealkey",
  "sealkeys",
  "privatekey",
  "apikey",
  "xapikey",
  "credential",
  "credentials",
]);

/** As deep as anything that is logged on purpose; what is deeper is left out. */
const DEEPEST = 8;
const MOST_ENTRIES = 200;

/** What looks like a secret in any text, and what it becomes. */
const SECRET_TEXTS: readonly (readonly [RegExp, string])[] = [
  // A token of our own. One that was cut off or mistyped is still most of one, so that 20 of its 38 digits are enough;
  // what is joined to it may be another.
  [/([a-z][a-z0-9]{0,15}_[a-z][a-z0-9]{0,15}_)[0-9A-Za-z]{20,}(?:_\w*)?/g, `$1${REDACTED}`],
  // The value of an Authorization header. In prose, "Bearer credential" stays: it has no digit and is short.
  [/\b(bearer|basic)(\s+|%20|\+)(?=[^\s"'\\,;]*\d|[^\s"'\\,;]{16})[^\s"'\\,;]+/gi, `$1 ${REDACTED}`],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, REDACTED],
];

/** The text without what looks like a secret. */
export function redactText(text: string): string {
  let safe = text;
  for (const [pattern, replacement] of SECRET_TEXTS) safe = safe.replace(pattern, replacement);
  return safe;
}

/**
 * What is to be logged, as plain data without the fields that hold secrets, at any depth; errors with their causes and
 * stacks. Texts are left as they are: `redactText` is for the line as a whole.
 */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return safeFields(fields, 0, new Set());
}

function safeFields(fields: object, depth: number, path: ReadonlySet<object>): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields).slice(0, MOST_ENTRIES)) {
    safe[name] = isSecretName(name) ? REDACTED : safeValue(value, depth + 1, new Set(path).add(fields));
  }
  return safe;
}

function safeValue(value: unknown, depth: number, path: ReadonlySet<object>): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth > DEEPEST) return "[too deep]";
  if (path.has(value)) return "[circular]";
  if (value instanceof Error) return safeError(value, depth, path);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return safeValue(value.toJSON(), depth + 1, new Set(path).add(value));
  }
  if (Array.isArray(value)) {
    const inside = new Set(path).add(value);
    return value.slice(0, MOST_ENTRIES).map((item) => safeValue(item, depth + 1, inside));
  }
  return safeFields(value, depth, path);
}

function safeError(error: Error, depth: number, path: ReadonlySet<object>): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return {
    type: name,
    message,
    stack,
    ...safeFields(error, depth, path),
    ...(cause !== undefined && { cause: safeValue(cause, depth + 1, new Set(path).add(error)) }),
  };
}

function isSecretName(name: string): boolean {
  return SECRET_NAMES.has(name.toLowerCase().replace(/[^a-z0-9]/g, ""));
}
