// A server whose freshness check is switched off once the hunt has made its API and first keys: what it must catch.
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
  wrapStore: (store) => {
    let checksLeft = 100;
    let version = 0;
    return overrideStore(store, {
      version: () => {
        if (checksLeft-- > 0) version = store.version();
        return version;
      },
    });
  },
});
process.on("SIGTERM", () => server.stop());
await server.stopped;
