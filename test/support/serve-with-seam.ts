import { serve } from "../../src/compose.ts";
import { readServeSettings } from "../../src/settings.ts";

/** For an entry that serves like `keywarden serve`, with a test's module in each of its verification threads. */
export async function serveWithSeam(module: URL): Promise<void> {
  const flags: Record<string, string> = {};
  for (let index = 3; index < process.argv.length; index += 2) {
    const name = process.argv[index]!.slice(2).replace(/-([a-z])/g, (_, letter: string) =>
      letter.toUpperCase(),
    );
    flags[name] = process.argv[index + 1]!;
  }
  const server = await serve(readServeSettings(flags, {}), { verification: module.href });
  process.on("SIGTERM", () => server.stop());
  const { failed } = await server.stopped;
  process.exitCode = failed ? 5 : 0;
}
