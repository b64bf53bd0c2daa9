import Database from "better-sqlite3";
import { knownMigrations, migrateSchema, migrationsOf } from "./migrations.ts";

/** Complaints of SQLite about the file, at most this many. */
const MOST_COMPLAINTS = 20;

/** What SQLite finds wrong with the file itself; `thorough` also compares each index with its table. */
export function structureProblems(db: Database.Database, thorough: boolean): readonly string[] {
  const pragma = `${thorough ? "integrity_check" : "quick_check"}(${MOST_COMPLAINTS})`;
  const lines = db.prepare<[], string>(`PRAGMA ${pragma}`).pluck().all();
  return lines.filter((line) => line !== "ok");
}

/** Rows that refer to one that is not there, by table. */
export function brokenReferences(db: Database.Database): ReadonlyMap<string, number> {
  const tables = db.prepare<[], string>('SELECT "table" FROM pragma_foreign_key_check').pluck();
  const counts = new Map<string, number>();
  for (const table of tables.iterate()) counts.set(table, (counts.get(table) ?? 0) + 1);
  return counts;
}

/** Is the schema that of this build? An older one is brought up to it when a server starts. */
export function schemaAge(db: Database.Database): "older" | "current" | "newer" {
  const [known, made] = [knownMigrations(), new Set(migrationsOf(db))];
  if ([...made].some((migration) => !known.has(migration))) return "newer";
  return made.size < known.size ? "older" : "current";
}

interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly sql: string | null;
}

/**
 * What differs between the schema and this build's own: a trigger or a view that somebody has added would run in the
 * server's name. Each as `trigger x`.
 */
export function foreignObjects(db: Database.Database): readonly string[] {
  const own = new Map(ownObjects().map((object) => [nameOf(object), object.sql]));
  const names = new Set(objectsOf(db).map(nameOf));
  return [
    ...addedTo(db, own).map(nameOf),
    ...[...own.keys()].filter((name) => !names.has(name)).map((name) => `${name} (missing)`),
  ];
}

/** Those of them that can undo what is written: not another table or view, which nobody here asks, and none that is missing. */
export function actingObjects(db: Database.Database): readonly string[] {
  const own = new Map(ownObjects().map((object) => [nameOf(object), object.sql]));
  return addedTo(db, own)
    .filter((object) => own.has(nameOf(object)) || !["table", "view"].includes(object.type))
    .map(nameOf);
}

/** What is not there in this build's own schema, or is another there. */
function addedTo(
  db: Database.Database,
  own: ReadonlyMap<string, SchemaObject["sql"]>,
): readonly SchemaObject[] {
  return objectsOf(db).filter((object) => own.get(nameOf(object)) !== object.sql);
}

function ownObjects(): readonly SchemaObject[] {
  const db = new Database(":memory:");
  try {
    migrateSchema(db);
    return objectsOf(db);
  } finally {
    db.close();
  }
}

/** Those that SQLite makes by itself left out: tables and indexes, but no trigger and no view has such a name. */
function objectsOf(db: Database.Database): readonly SchemaObject[] {
  return db
    .prepare<[], SchemaObject>("SELECT type, name, sql FROM sqlite_schema")
    .all()
    .filter(({ type, name }) => !(name.startsWith("sqlite_") && ["table", "index"].includes(type)));
}

function nameOf({ type, name }: SchemaObject): string {
  return `${type} ${name}`;
}
