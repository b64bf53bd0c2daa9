// Writes what is made from the contract and the code, beside code: pages of docs/reference/, and what /openapi.json answers; with --check, says which of them are stale.
import { readFileSync, writeFileSync } from "node:fs";
import { metricsPage } from "./metrics-page.ts";
import { openapi } from "./openapi.ts";
import { reasonsPage } from "./reasons-page.ts";
import { settingsPage } from "./settings-page.ts";

const PAGES = {
  "docs/reference/metrics.md": metricsPage(),
  "docs/reference/reasons.md": reasonsPage(),
  "docs/reference/settings.md": settingsPage(),
  "src/adapters/http/openapi.json": openapi(),
};

for (const [path, text] of Object.entries(PAGES)) {
  const file = new URL(`../${path}`, import.meta.url);
  if (!process.argv.includes("--check")) {
    writeFileSync(file, text);
  } else if (readFileSync(file, "utf8") !== text) {
    console.error(`${path} is not what the code makes: npm run generate`);
    process.exitCode = 1;
  }
}
