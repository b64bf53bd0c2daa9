import { getTableColumns, getTableName, type Table } from "drizzle-orm";

/** SQL made from the schema, so that a column is named in one place. Properties are bound by name. */
export function insertSql(table: Table): string {
  const columns = columnsOf(table);
  const names = columns.map(({ name }) => name).join(", ");
  const values = columns.map(({ property }) => `@${property}`).join(", ");
  return `INSERT INTO ${getTableName(table)} (${names}) VALUES (${values})`;
}

/** Sets every column of the row with `@id`, but for the id itself and what else never changes. */
export function updateSql(table: Table, fixed: readonly string[]): string {
  const changing = columnsOf(table).filter(({ property }) => property !== "id" && !fixed.includes(property));
  const values = changing.map(({ name, property }) => `${name} = @${property}`).join(", ");
  return `UPDATE ${getTableName(table)} SET ${values} WHERE id = @id`;
}

/** The table's columns for a SELECT, each as its property. */
export function columnList(table: Table, alias: string): string {
  return columnsOf(table)
    .map(({ name, property }) => `${alias}.${name} AS ${property}`)
    .join(", ");
}

function columnsOf(table: Table): readonly { readonly name: string; readonly property: string }[] {
  return Object.entries(getTableColumns(table)).map(([property, { name }]) => ({ property, name }));
}
