import { parentPort, workerData } from "node:worker_threads";
import type { Database } from "better-sqlite3";
import { Sealer } from "../../domain/seal.ts";
import { createChangeWriter } from "./change-writer.ts";
import { openWriterConnection } from "./connection.ts";
import { createGroupCommit } from "./group-commit.ts";
import { refusalOf } from "./refusal.ts";
import { createSecretRotation } from "./secret-rotation.ts";
import { createUsageWriter } from "./usage-writer.ts";
import type { FromWriter, NumberedChange, SideWrite, ToWriter, WriterOptions } from "./writer-messages.ts";

/** The writer's thread: everything that changes the database happens here, on its one connection that writes. */
if (parentPort === null) throw new Error("writer-worker runs as a worker thread only");
const port = parentPort;
const { path, sealKeys }: WriterOptions = workerData;

/** Milliseconds between two bites of a pass over all records: changes come first. */
const PAUSE = 10;

try {
  serve(openWriterConnection(path));
  send({ kind: "ready" });
} catch (error) {
  const { status, reason, message } = refusalOf(error, path);
  send({ kind: "refused", refusal: { status, reason, message } });
}

function serve(db: Database): void {
  const sealer = new Sealer(sealKeys);
  const [{ id: current }] = sealKeys;
  db.prepare("INSERT OR IGNORE INTO seal_keys (id) VALUES (?)").run(current);
  const writer = createChangeWriter(db, sealer);
  const commitGroup = createGroupCommit(db, writer);
  const rotation = createSecretRotation(db, sealer, current);
  const usage = createUsageWriter(db);
  const sideWrite = db.transaction((write: SideWrite) => {
    switch (write.kind) {
      case "redigest":
        return rotation.redigest(write.tokens);
      case "record-usage":
        return usage.record(write.batch);
      case "forget-usage":
        return usage.forget(write.before, write.limit);
    }
  });
  let group: NumberedChange[] = [];

  // Whatever has arrived while the last commit waited for the disk goes into the next one.
  const commit = () => {
    if (group.length === 0) return;
    const changes = group;
    group = [];
    const outcomes = commitGroup(changes);
    send({ kind: "outcomes", ids: changes.map(({ id }) => id), outcomes });
  };

  const sealSome = db.transaction(() => {
    const progress = rotation.sealSome();
    if (progress === undefined) {
      // The audit's head is sealed with each change; without one, now.
      writer.begin();
      writer.finish();
      rotation.forgetUnused();
    }
    return progress;
  });
  let sealing: NodeJS.Timeout | undefined;
  const sealOn = () => {
    const progress = attempt(() => sealSome.immediate());
    // A disk that is full now may have room later.
    if ("problem" in progress) sealing = setTimeout(sealOn, 60_000);
    else if (progress.result !== undefined) sealing = setTimeout(sealOn, PAUSE);
    if ("result" in progress) send({ kind: "sealing", progress: progress.result });
  };
  if (rotation.needsSealing()) sealing = setTimeout(sealOn, PAUSE);

  const close = () => {
    clearTimeout(sealing);
    commit();
    attempt(() => db.transaction(() => rotation.forgetUnused()).immediate());
    // The last connection that closes writes the log back into the database and removes it.
    db.close();
    port.close();
  };

  port.on("message", (message: ToWriter) => {
    switch (message.kind) {
      case "commit":
        if (group.length === 0) setImmediate(commit);
        group.push(...message.changes);
        return;
      case "aside": {
        const outcome = attempt(() => sideWrite.immediate(message.write));
        const { id } = message;
        send({ kind: "aside", id, outcome: "result" in outcome ? { count: outcome.result } : outcome });
        return;
      }
      case "close":
        close();
    }
  });
}

function attempt<Result>(write: () => Result): { readonly result: Result } | { readonly problem: string } {
  try {
    return { result: write() };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function send(message: FromWriter): void {
  port.postMessage(message);
}
