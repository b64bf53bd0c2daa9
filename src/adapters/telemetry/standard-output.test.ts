import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { standardOutput } from "./standard-output.ts";

it("lines are there, whole and in order, when they have been written", () => {
  const path = join(tmpdir(), `keywarden-output-${process.pid}`);
  const file = openSync(path, "w");
  let dropped = 0;
  const output = standardOutput(() => dropped++, file);
  const long = "é".repeat(100_000);
  output.write("first\n");
  output.write(`${long}\n`);
  expect(readFileSync(path, "utf8")).toBe(`first\n${long}\n`);
  closeSync(file);
  rmSync(path);
  output.write("nowhere\n");
  expect(dropped).toBe(1);
});
