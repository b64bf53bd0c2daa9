#!/usr/bin/env node
// A checkout runs its source; a published package has only what was built of it.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { launch } from "../run.mjs";

const [source, built] = ["../src/main.ts", "../dist/main.js"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);
launch([existsSync(source) ? source : built, ...process.argv.slice(2)]);
