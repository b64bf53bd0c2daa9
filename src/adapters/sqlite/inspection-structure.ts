import Database from "better-sqlite3";
import { knownMigrations, migrateSchema, migrationsOf } from "./migrations.ts";
import { foreignAmong, objectsOf, type SchemaObject } from "./schema-objects.ts";

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

/** What differs between the schema and this build's own. Each as `trigger x`. */
export function foreignObjects(db: Database.Database): readonly string[] {
  return foreignAmong(db, ownObjects());
}

/** This build's own schema. */
export function ownObjects(): readonly SchemaObject[] {
  const db = new Database(":memory:");
  try {
    migrateSchema(db);
    return objectsOf(db);
  } finally {
    db.close();
  }
}
