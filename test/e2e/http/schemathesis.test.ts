import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, it } from "vitest";
import { pythonWith } from "../../support/python.ts";
import { httpServerOfTests } from "./http-server.ts";

const server = httpServerOfTests();
const bin = pythonWith(["schemathesis==4.32.5"]);
let credential: string;

beforeAll(async () => {
  credential = await server.createCredential();
});

/** Runs it on these paths. Rejects with what it found. */
async function schemathesis(path: string, ...options: readonly string[]): Promise<string> {
  const args = ["-m", "schemathesis.cli", "run", `${server.base}/openapi.json`, "--include-path", path];
  const common = ["--no-color", "--checks", "all", "--max-examples", "40", "--seed", "1"];
  const caller = ["--header", `Authorization: Bearer ${credential}`];
  const { stdout } = await promisify(execFile)(
    join(bin!, "python"),
    [...args, ...common, ...caller, ...options],
    {
      cwd: server.process.directory,
      maxBuffer: 1 << 26,
    },
  );
  return stdout;
}

it.skipIf(bin === undefined)("finds nothing in POST /v1/verify", async () => {
  // Which scopes can be read, and which APIs and environments there are, is no matter of the description.
  const found = await schemathesis("/v1/verify", "--exclude-checks", "positive_data_acceptance");
  expect(found).toContain("No issues found");
});

it.skipIf(bin === undefined).each(["/v1/verify:batch", "/introspect"])(
  "finds nothing in POST %s",
  async (path) => {
    expect(await schemathesis(path)).toContain("No issues found");
  },
);
