import { parentPort, workerData } from "node:worker_threads";
import type { Database } from "better-sqlite3";
import { createChangeWriter } from "./change-writer.ts";
import { openWriterConnection } from "./connection.ts";
import { createGroupCommit } from "./group-commit.ts";
import { refusalOf } from "./refusal.ts";
import type { FromWriter, NumberedChange, ToWriter, WriterOptions } from "./writer-messages.ts";

/** The writer's thread: everything that changes the database happens here, on its one connection that writes. */
if (parentPort === null) throw new Error("writer-worker runs as a worker thread only");
const port = parentPort;
const { path, changesKept }: WriterOptions = workerData;

try {
  serve(openWriterConnection(path));
  send({ kind: "ready" });
} catch (error) {
  const { status, reason, message } = refusalOf(error, path);
  send({ kind: "refused", refusal: { status, reason, message } });
}

function serve(db: Database): void {
  const commitGroup = createGroupCommit(db, createChangeWriter(db, changesKept));
  let group: NumberedChange[] = [];

  // Whatever has arrived while the last commit waited for the disk goes into the next one.
  const commit = () => {
    if (group.length === 0) return;
    const changes = group;
    group = [];
    const outcomes = commitGroup(changes.map(({ change }) => change));
    send({ kind: "outcomes", ids: changes.map(({ id }) => id), outcomes });
  };

  port.on("message", (message: ToWriter) => {
    if (message.kind === "commit") {
      if (group.length === 0) setImmediate(commit);
      group.push(...message.changes);
      return;
    }
    commit();
    // The last connection that closes writes the log back into the database and removes it.
    db.close();
    port.close();
  });
}

function send(message: FromWriter): void {
  port.postMessage(message);
}
