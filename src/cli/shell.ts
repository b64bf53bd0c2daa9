import { once } from "node:events";
import type { Variables } from "../settings/read.ts";
import type { ServeSettings } from "../settings.ts";

/** What the command line runs in. */
export interface Shell {
  readonly variables: Variables;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs a server until it has stopped; resolves with its exit code. */
  serve(settings: ServeSettings): Promise<number>;
}

/** Writes and waits until the stream wants more, so that a long output does not pile up in memory. */
export async function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, "drain");
}
