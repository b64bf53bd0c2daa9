import type { Database } from "better-sqlite3";

/** A table, an index, a trigger or a view, as SQLite keeps its definition. */
export interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly sql: string | null;
}

/** Those that SQLite makes by itself left out: tables and indexes, but no trigger and no view has such a name. */
export function objectsOf(db: Database): readonly SchemaObject[] {
  return db
    .prepare<[], SchemaObject>("SELECT type, name, sql FROM sqlite_schema")
    .all()
    .filter(({ type, name }) => !(name.startsWith("sqlite_") && ["table", "index"].includes(type)));
}

/**
 * What differs between the schema and `own`, this build's: a trigger or a view that somebody has added would run in the
 * server's name. Each as `trigger x`.
 */
export function foreignAmong(db: Database, own: readonly SchemaObject[]): readonly string[] {
  const names = new Set(objectsOf(db).map(nameOf));
  const missing = own.map(nameOf).filter((name) => !names.has(name));
  return [...addedTo(db, own).map(nameOf), ...missing.map((name) => `${name} (missing)`)];
}

/** Those of them that can undo what is written: not another table or view, which nobody here asks, and none that is missing. */
export function actingAmong(db: Database, own: readonly SchemaObject[]): readonly string[] {
  const names = new Set(own.map(nameOf));
  return addedTo(db, own)
    .filter((object) => names.has(nameOf(object)) || !["table", "view"].includes(object.type))
    .map(nameOf);
}

/** What is not there in this build's own schema, or is another there. */
function addedTo(db: Database, own: readonly SchemaObject[]): readonly SchemaObject[] {
  const definitions = new Map(own.map((object) => [nameOf(object), object.sql]));
  return objectsOf(db).filter((object) => definitions.get(nameOf(object)) !== object.sql);
}

function nameOf({ type, name }: SchemaObject): string {
  return `${type} ${name}`;
}
