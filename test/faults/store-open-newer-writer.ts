import Database from "better-sqlite3";

// A process that notes a migration that nobody here knows of, as a newer version would, and keeps the database open:
// when it is killed, what it wrote is in the log only.
const db = new Database(process.argv[2]);
db.exec("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('newer', 9999999999999)");
console.log("written");
// Whoever is not referred to any more is closed.
process.stdin.on("data", () => db.close());
