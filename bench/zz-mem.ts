import { mkdtempSync, readFileSync } from "node:fs";
import { makeStore } from "./servers/stores.ts";
import { join } from "node:path";
const root = process.argv[2]!;
const t = Date.now();
await makeStore({ directory: join(root, "s"), entry: "src/main.ts", keys: Number(process.argv[3]), signal: new AbortController().signal });
console.log("made", Date.now() - t);
