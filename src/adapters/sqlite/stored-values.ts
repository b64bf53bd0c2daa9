/*
 * Readers of stored values. Each takes the name of the column, for the error, and the value as it was read; each
 * throws TypeError unless the value is what it is meant to be, and never says what it was instead.
 */

type ReadValue<Value> = (column: string, value: unknown) => Value;

export function text(column: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new TypeError(`${column} must be text`);
}

export function integer(column: string, value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw new TypeError(`${column} must be an integer`);
}

export function nullable<Value>(column: string, value: unknown, read: ReadValue<Value>): Value | null {
  return value === null ? null : read(column, value);
}

export function member<Member extends string>(
  column: string,
  value: unknown,
  members: readonly Member[],
): Member {
  const found = members.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw new TypeError(`${column} must be one of ${members.join(", ")}`);
}

/** JSON text of an array. */
export function list<Item>(column: string, value: unknown, read: ReadValue<Item>): readonly Item[] {
  return array(column, json(column, value), read);
}

export function array<Item>(column: string, value: unknown, read: ReadValue<Item>): readonly Item[] {
  if (!Array.isArray(value)) throw new TypeError(`${column} must be a list`);
  return value.map((item: unknown) => read(column, item));
}

/** JSON text of an object whose values are strings. */
export function textMap(column: string, value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries<unknown>(fields<string>(column, json(column, value)));
  return Object.fromEntries(entries.map(([name, item]) => [name, text(column, item)]));
}

/** An object, of which only these fields matter; each may be missing. */
export function fields<Name extends string>(
  column: string,
  value: unknown,
): Readonly<Partial<Record<Name, unknown>>> {
  if (isObject<Name>(value)) return value;
  throw new TypeError(`${column} must be an object`);
}

function isObject<Name extends string>(value: unknown): value is Readonly<Partial<Record<Name, unknown>>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON text. */
export function json(column: string, value: unknown): unknown {
  try {
    return JSON.parse(text(column, value));
  } catch {
    throw new TypeError(`${column} must be JSON`);
  }
}
