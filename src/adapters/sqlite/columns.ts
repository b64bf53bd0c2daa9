import type { Database } from "better-sqlite3";

type Table = "apis" | "keys" | "tokens" | "audit_events";

/** An INSERT of a whole row, each column bound by its name. The columns are those that the database has. */
export function insertSql(db: Database, table: Table): string {
  const columns = columnsOf(db, table);
  return `INSERT INTO ${table} (${columns.join(", ")}) VALUES (@${columns.join(", @")})`;
}

/** An UPDATE of the row with `@id`: of all columns but those that never change. */
export function updateSql(db: Database, table: Table, fixed: readonly string[]): string {
  const changing = columnsOf(db, table).filter((column) => column !== "id" && !fixed.includes(column));
  return `UPDATE ${table} SET ${changing.map((column) => `${column} = @${column}`).join(", ")} WHERE id = @id`;
}

function columnsOf(db: Database, table: Table): readonly string[] {
  return db.prepare<[string], string>("SELECT name FROM pragma_table_info(?)").pluck().all(table);
}
