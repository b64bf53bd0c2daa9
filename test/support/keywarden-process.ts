import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { createRpcClient } from "../../src/cli/rpc-client.ts";
import { AdminService } from "../../src/gen/keywarden/v1/admin_service_pb.ts";
import { VerifyService } from "../../src/gen/keywarden/v1/verify_service_pb.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const DEADLINE_MS = 30_000;

export interface KeywardenProcess {
  readonly pid: number;
  readonly grpc: string;
  readonly http: string;
  readonly adminGrpc: string;
  readonly adminHttp: string;
  readonly directory: string;
  readonly adminToken: string;
  /** Everything it has written to its two outputs. */
  output(): string;
  adminClient(): AdminClient;
  verifyClient(): VerifyClient;
  /** Its exit code, once it has ended by itself. */
  readonly ended: Promise<number | null>;
  /** SIGTERM, then its exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

export type AdminClient = ReturnType<typeof adminClient>;
export type VerifyClient = ReturnType<typeof verifyClient>;

export interface StartOptions {
  /** What it is run under, such as `taskset -c 0`; it must become the server itself. */
  readonly under?: readonly string[];
  /** Where the data lives: a server that is started there again finds it. */
  readonly directory: string;
  readonly flags?: readonly string[];
  /** Relative to the root of the project. */
  readonly entry?: string;
  /** Variables beside those of this process. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** A folder that is gone after the test. */
export function temporaryDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "keywarden-test-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The real server as a process of its own, on free ports, once it serves. Rejects with its output if it ends before. */
export async function startKeywarden(options: StartOptions): Promise<KeywardenProcess> {
  const { directory, flags = [], entry = "src/main.ts", under = [], variables } = options;
  const [command = process.execPath, ...args] = [...under, process.execPath];
  const child = spawn(
    command,
    [
      ...args,
      join(ROOT, entry),
      "serve",
      "--store",
      `sqlite:${join(directory, "keywarden.db")}`,
      "--grpc",
      "127.0.0.1:0",
      "--http",
      "127.0.0.1:0",
      "--admin-grpc",
      "127.0.0.1:0",
      "--admin-http",
      "127.0.0.1:0",
      "--log-format",
      "json",
      ...flags,
    ],
    { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...variables } },
  );
  let output = "";
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  const lines = createInterface({ input: child.stdout });
  const serving =
    Promise.withResolvers<Pick<KeywardenProcess, "grpc" | "http" | "adminGrpc" | "adminHttp">>();
  lines.on("line", (line) => {
    output += `${line}\n`;
    const logged = parsed(line);
    if (logged?.["msg"] === "serving") {
      const address = (name: string) => String(logged[name]);
      serving.resolve({
        grpc: address("grpc"),
        http: address("http"),
        adminGrpc: address("adminGrpc"),
        adminHttp: address("adminHttp"),
      });
    }
  });
  const exited = once(child, "exit");
  exited.then(() => serving.reject(new Error(`the server ended before it served:\n${output}`)));
  const { grpc, http, adminGrpc, adminHttp } = await serving.promise;
  const adminToken = readFileSync(join(directory, "admin-token"), "utf8").trim();
  const clients: { close(): void }[] = [];
  const kept = <Client extends { close(): void }>(client: Client): Client => {
    clients.push(client);
    return client;
  };
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    for (const client of clients.splice(0)) client.close();
    if (isRunning(child)) child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    pid: child.pid ?? -1,
    grpc,
    http,
    adminGrpc,
    adminHttp,
    directory,
    adminToken,
    output: () => output,
    adminClient: () => kept(adminClient(adminGrpc, adminToken)),
    verifyClient: () => kept(verifyClient(grpc)),
    ended: exited.then(() => child.exitCode),
    stop: () => end("SIGTERM"),
    kill: async () => void (await end("SIGKILL")),
  };
}

function adminClient(address: string, token: string) {
  const metadata = () => ({ authorization: `Bearer ${token}` });
  return createRpcClient(AdminService, address, { deadlineMs: DEADLINE_MS, metadata });
}

function verifyClient(address: string) {
  return createRpcClient(VerifyService, address, { deadlineMs: DEADLINE_MS });
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
