import { join } from "node:path";
import { runOnLoadCore } from "../measuring/children.ts";

const SOURCE = join(import.meta.dirname, "../reference-go");
/** Seconds; a first build fetches and compiles grpc-go. */
const PATIENCE = 180;

/** Builds the server in Go and resolves with its program; undefined, with a word on why, where that can't be done. */
export async function buildGoReference(
  directory: string,
  say: (text: string) => void,
): Promise<string | undefined> {
  const program = join(directory, "reference-go");
  say("building the reference in Go; the first time this takes a minute");
  try {
    await runOnLoadCore("timeout", [String(PATIENCE), "go", "build", "-C", SOURCE, "-o", program, "."]);
    return program;
  } catch (error) {
    say(`left out: the reference in Go, which can't be built here (${firstLine(error)})`);
    return undefined;
  }
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n")[0] ?? "";
}
