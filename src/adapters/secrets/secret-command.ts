import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { codeOf } from "./error-code.ts";
import { MOST_BYTES } from "./secret-lines.ts";
import type { Refuse } from "./secret-refusal.ts";

interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

const MOST_MS = 30_000;
/** Of standard error, in bytes, and of that in characters of a message. */
const MOST_COMPLAINT = 4 * 1024;
const SHOWN_COMPLAINT = 400;

type Child = ChildProcessByStdio<null, Readable, Readable>;

/**
 * What a program prints, to be zeroed by whoever asked. It runs without a shell, with `env` as its environment and
 * nothing on its standard input, and is killed with all that it has started after `mostMs` milliseconds.
 * Rejects with `refuse("UNREADABLE", …)`, with what it said on standard error but for what could be a secret.
 */
export async function runSecretCommand(
  { program, args }: Command,
  env: NodeJS.ProcessEnv,
  refuse: Refuse,
  mostMs = MOST_MS,
): Promise<Buffer> {
  // In a process group of its own, so that what a script has started ends with it.
  const child = spawn(program, args, { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const printed = collect(child.stdout, MOST_BYTES);
  const said = collect(child.stderr, MOST_COMPLAINT);
  const outcome = await Promise.race([ended(child), printed.overflow, timeout(mostMs, child)]);
  if (outcome === "ok") return printed.take();
  kill(child);
  const secret = printed.take();
  const complaint = withoutSecrets(said.take(), secret);
  secret.fill(0);
  throw refuse("UNREADABLE", `the command ${program} ${outcome}${complaint}`);
}

/** The first `most` bytes of a stream; `overflow` resolves if there are more. */
function collect(stream: Readable, most: number) {
  const chunks: Buffer[] = [];
  let length = 0;
  const overflow = Promise.withResolvers<string>();
  stream.on("data", (chunk: Buffer) => {
    const room = most - length;
    length += Math.min(room, chunk.length);
    chunks.push(chunk.subarray(0, room));
    chunk.fill(0, room);
    if (chunk.length > room) overflow.resolve(`printed more than ${most} bytes`);
  });
  return {
    overflow: overflow.promise,
    take(): Buffer {
      const whole = Buffer.alloc(length);
      let at = 0;
      for (const chunk of chunks.splice(0)) {
        at += chunk.copy(whole, at);
        chunk.fill(0);
      }
      return whole;
    },
  };
}

/** "ok", or how it ended otherwise. */
function ended(child: Child): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) =>
      resolve(codeOf(error) === "ENOENT" ? "does not exist" : `cannot be run (${codeOf(error)})`),
    );
    child.once("close", (code, signal) => {
      if (code === 0) resolve("ok");
      else resolve(signal === null ? `ended with ${code}` : `was ended by ${signal}`);
    });
  });
}

function timeout(milliseconds: number, child: Child): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(`took longer than ${milliseconds / 1_000} s`), milliseconds);
    child.once("close", () => clearTimeout(timer));
    child.once("error", () => clearTimeout(timer));
  });
}

function kill(child: Child): void {
  child.stdout.destroy();
  child.stderr.destroy();
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    // They have all ended.
    if (codeOf(error) !== "ESRCH") throw error;
  }
}

/** Long runs of what encodings are made of, and whatever it also printed as its answer, are left out. */
function withoutSecrets(complaint: Buffer, printed: Buffer): string {
  const words = printed.toString("latin1").match(/[^\s"':,{}]{8,}/g) ?? [];
  let text = complaint.toString("utf8");
  // The end may be missing, and what is left of it too short to be known for what it is.
  if (complaint.length === MOST_COMPLAINT) text = text.replace(/\S+$/, "…");
  for (const word of words) text = text.replaceAll(word, "…");
  const safe = text
    .replace(/[A-Za-z0-9+/_=\\-]{32,}/g, "…")
    .replace(/[\p{C}\s]+/gu, " ")
    .trim();
  return safe === "" ? ", and said nothing" : `, and said: ${safe.slice(0, SHOWN_COMPLAINT)}`;
}
