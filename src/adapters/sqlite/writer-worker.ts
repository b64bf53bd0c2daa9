import { parentPort, workerData } from "node:worker_threads";
import type { Database } from "better-sqlite3";
import type { KeywardenError } from "../../domain/keywarden-error.ts";
import { Sealer } from "../../domain/seal.ts";
import { giveWay, niceness } from "../threads/niceness.ts";
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
const { path, sealKeys, schema }: WriterOptions = workerData;

/** Milliseconds between two bites of a pass over all records: changes come first. */
const PAUSE = 10;

/** Milliseconds between two looks at whether somebody else has written: 5 us each. */
const WATCH_EVERY = 100;

giveWay(niceness());
try {
  serve(openWriterConnection(path));
  send({ kind: "ready" });
} catch (error) {
  send({ kind: "refused", refusal: partsOf(refusalOf(error, path)) });
}

function serve(db: Database): void {
  const sealer = new Sealer(sealKeys);
  const [{ id: current }] = sealKeys;
  db.prepare("INSERT OR IGNORE INTO seal_keys (id) VALUES (?)").run(current);
  const onRefusedRow = (error: KeywardenError) => send({ kind: "refused-row", refusal: partsOf(error) });
  const writer = createChangeWriter(db, { sealer, schema, onRefusedRow });
  const commitGroup = createGroupCommit(db, writer);
  const rotation = createSecretRotation(db, sealer, current);
  const usage = createUsageWriter(db);
  const writeAside = (write: SideWrite) => {
    switch (write.kind) {
      case "redigest":
        return rotation.redigest(write.tokens);
      case "record-usage":
        return usage.record(write.batch);
      case "tidy-usage":
        return usage.tidy(write.ages, write.limit);
      case "trust":
        writer.trust(write.isTrusted);
        return 1;
    }
  };
  /** In a transaction of its own. */
  const committed = <Result>(write: () => Result): Result => {
    const result = db.transaction(write).immediate();
    writer.committed();
    return result;
  };
  const sideWrite = (write: SideWrite) =>
    committed(() => {
      const isSound = writer.begin();
      const count = writeAside(write);
      if (count > 0 || !isSound) writer.finish();
      return count;
    });
  const mend = () =>
    committed(() => {
      if (!writer.begin()) writer.finish();
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

  const sealSome = () =>
    committed(() => {
      writer.begin();
      const progress = rotation.sealSome();
      if (progress !== undefined) writer.resealed(progress);
      // The audit's head is sealed with each commit, and so with the current key.
      writer.finish();
      if (progress === undefined) rotation.forgetUnused();
      return progress && { looked: progress.looked, total: progress.total };
    });
  let sealing: NodeJS.Timeout | undefined;
  const sealOn = () => {
    const progress = attempt(() => sealSome());
    // A disk that is full now may have room later.
    if ("problem" in progress) sealing = setTimeout(sealOn, 60_000);
    else if (progress.result !== undefined) sealing = setTimeout(sealOn, PAUSE);
    if ("result" in progress) send({ kind: "sealing", progress: progress.result });
  };
  if (rotation.needsSealing()) sealing = setTimeout(sealOn, PAUSE);

  // Only other connections' commits change it. Whoever made one, the end of the audit is put right at once if need be.
  const foreignVersion = db.prepare<[], number>("PRAGMA data_version").pluck();
  let version: number | undefined;
  const watch = () => {
    const seen = attempt(() => foreignVersion.get());
    if (!("result" in seen) || seen.result === version) return;
    attempt(() => mend());
    // At the start there is nothing to compare it with.
    if (version !== undefined) send({ kind: "foreign-write" });
    version = seen.result;
  };
  watch();
  const watching = setInterval(watch, WATCH_EVERY);

  const close = () => {
    clearTimeout(sealing);
    clearInterval(watching);
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
        const outcome = attempt(() => sideWrite(message.write));
        const { id } = message;
        send({ kind: "aside", id, outcome: "result" in outcome ? { count: outcome.result } : outcome });
        return;
      }
      case "close":
        close();
    }
  });
}

function partsOf({
  status,
  reason,
  message,
}: KeywardenError): Pick<KeywardenError, "status" | "reason" | "message"> {
  return { status, reason, message };
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
