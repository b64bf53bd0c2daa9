import { Failure } from "./failure.ts";
import type { Shell } from "./shell.ts";

/** All that comes on standard input, as UTF-8. @throws Failure if it is more than `limit` bytes. */
export async function readStandardInput({ stdin }: Shell, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > limit) throw new Failure("usage", `standard input is longer than ${limit} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}
