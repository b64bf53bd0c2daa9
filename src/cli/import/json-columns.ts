/** A JSON object of the input. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The columns that rows of JSON are asked for: names of fields, or paths such as `consumer.id`. */
export class JsonColumns {
  readonly #paths: readonly { readonly column: string; readonly path: readonly string[] }[];
  /** Fields that are looked into. */
  readonly #heads: ReadonlySet<string>;
  readonly #known = new Set<string>();
  #news: string[] = [];

  constructor(columns: readonly string[]) {
    this.#paths = columns.map((column) => ({ column, path: column.split(".") }));
    const nested = this.#paths.filter(({ path }) => path.length > 1);
    this.#heads = new Set(nested.flatMap(({ path }) => path.slice(0, 1)));
  }

  valuesOf(object: JsonObject): readonly unknown[] {
    return this.#paths.map(({ path }) => valueAt(object, path));
  }

  /** Notes which columns the object has. A field that is looked into is known by the paths that lead somewhere. */
  note(object: JsonObject): void {
    for (const name of Object.keys(object)) {
      if (!this.#known.has(name) && !this.#heads.has(name)) this.#add(name);
    }
    for (const { column, path } of this.#paths) {
      if (!this.#known.has(column) && isThere(object, path)) this.#add(column);
    }
  }

  /** The columns that were noted since this was last asked. */
  news(): readonly string[] {
    const found = this.#news;
    this.#news = [];
    return found;
  }

  #add(name: string): void {
    this.#known.add(name);
    this.#news.push(name);
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueAt(object: JsonObject, path: readonly string[]): unknown {
  const whole = path.join(".");
  if (Object.hasOwn(object, whole)) return object[whole];
  let value: unknown = object;
  for (const name of path) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** Has the object a place for it? Behind null there may be anything. */
function isThere(object: JsonObject, path: readonly string[]): boolean {
  if (Object.hasOwn(object, path.join("."))) return true;
  let value: unknown = object;
  for (const name of path) {
    if (value === null) return true;
    if (!isObject(value) || !Object.hasOwn(value, name)) return false;
    value = value[name];
  }
  return true;
}
