import { once } from "node:events";
import type { Variables } from "../settings/read.ts";
import type { ServeSettings } from "../settings.ts";

type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** What the command line runs in. */
export interface Shell {
  readonly variables: Variables;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs a server until it has stopped; resolves with its exit code. */
  serve(settings: ServeSettings): Promise<number>;
}

/** Writes and waits until the stream wants more, so that a long output does not pile up in memory. */
export async function write(stream: Output, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, "drain");
}
