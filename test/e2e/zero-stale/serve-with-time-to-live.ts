// A server that looks for changes twice a second only, as a cache with a time to live does: what the hunt must catch.
import { serve } from "../../../src/compose.ts";
import { readServeSettings } from "../../../src/settings.ts";
import { overrideStore } from "../../support/override-store.ts";

const flags: Record<string, string> = {};
for (let index = 3; index < process.argv.length; index += 2) {
  const name = process.argv[index]!.slice(2).replace(/-([a-z])/g, (_, letter: string) =>
    letter.toUpperCase(),
  );
  flags[name] = process.argv[index + 1]!;
}
const server = await serve(readServeSettings(flags, {}), {
  wrapStore: (store) => overrideStore(store, { version: () => Math.floor(Date.now() / 500) }),
});
process.on("SIGTERM", () => server.stop());
await server.stopped;
