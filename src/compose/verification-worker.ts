import { inspect } from "node:util";
import { parentPort, workerData } from "node:worker_threads";
import { type Listener, listen } from "../adapters/grpc/listener.ts";
import { setNiceness } from "../adapters/threads/niceness.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import type { UsageBatch } from "../domain/usage.ts";
import type { RenewedDigest } from "../ports/store.ts";
import type {
  ByListener,
  DataPlace,
  FromVerification,
  ToVerification,
  VerificationOptions,
} from "./verification-messages.ts";
import type { VerificationServer } from "./verification-server.ts";

/** A verification thread: its own reader, cache, verifier and servers, on ports that it may share with others. */
if (parentPort === null) throw new Error("verification-worker runs as a worker thread only");
const port = parentPort;
const options: VerificationOptions = workerData;
// One that takes another's place was started by a thread that gives way by now.
setNiceness(options.niceness);

let listeners: ByListener<Listener> = {};
let server: VerificationServer | undefined;
/** Everything else is loaded while somebody else sets the store up. */
const loading = import("./verification-server.ts");
if (options.settings.http !== null) void import("./verification-http.ts");

port.on("message", async (message: ToVerification) => {
  try {
    await obey(message);
  } catch (error) {
    if (!(error instanceof KeywardenError)) throw error;
    const { status, reason, message: text } = error;
    send({ kind: "refused", refusal: { status, reason, message: text } });
    await end(0);
  }
});

/*
 * What nobody caught ends the thread, in good order: a thread that stops while HTTP/2 still reads takes the whole process
 * with it (nodejs/node#38418), and one whose sockets are closed from within HTTP/2 too (nodejs/node#64850).
 */
process.once("uncaughtException", (error) => {
  send({ kind: "broken", problem: inspect(error) });
  setImmediate(async () => {
    await closeListeners(0);
    process.exit(1);
  });
});

async function obey(message: ToVerification): Promise<void> {
  switch (message.kind) {
    case "listen":
      await listenAtAll(message.places);
      return;
    case "serve": {
      const { startVerificationServer } = await loading;
      server = await startVerificationServer({
        ...options,
        keyring: message.keyring,
        listeners,
        onFormerDigests,
        onUsage,
      });
      send({ kind: "serving" });
      return;
    }
    case "drain":
      await end(message.graceMs);
  }
}

function onFormerDigests(tokens: readonly RenewedDigest[]): void {
  send({ kind: "former-digests", tokens });
}

function onUsage(batch: UsageBatch): void {
  send({ kind: "usage", batch });
}

async function listenAtAll({ grpc, http }: ByListener<DataPlace>): Promise<void> {
  // Each is known as soon as it is open, so that it is closed if the next can't be.
  if (grpc !== undefined) listeners = { grpc: await listenAt(grpc, "--grpc") };
  if (http !== undefined) listeners = { ...listeners, http: await listenAt(http, "--http") };
  const taken = Object.entries(listeners).map(([name, listener]) => [
    name,
    { port: listener.port, address: listener.address },
  ]);
  send({ kind: "listening", taken: Object.fromEntries(taken) });
}

async function listenAt({ sharing, ...address }: DataPlace, setting: string): Promise<Listener> {
  const place = { ...address, setting };
  if (sharing === "joining") return listen({ ...place, reusePort: true });
  // Taken for itself first: a port that others share could be joined although a second server has it.
  const own = await listen(place);
  if (sharing === "alone") return own;
  await own.close(0);
  return listen({ ...place, port: own.port, reusePort: true });
}

async function closeListeners(graceMs: number): Promise<void> {
  await Promise.all(Object.values(listeners).map((listener) => listener.close(graceMs)));
}

async function end(graceMs: number): Promise<void> {
  await server?.close(graceMs);
  await closeListeners(graceMs);
  // gRPC may have timers left; nothing that was acknowledged is lost with them.
  process.exit(0);
}

function send(message: FromVerification): void {
  port.postMessage(message);
}
