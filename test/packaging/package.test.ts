import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/keywarden-process.ts";
import { copyCheckout, ROOT } from "./checkout.ts";
import { run, startServer } from "./newcomer.ts";

const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
const directory = temporaryDirectory();
const unpacked = join(directory.path, "unpacked");
let tarball: string;
let files: string[];

beforeAll(async () => {
  const checkout = join(directory.path, "checkout");
  copyCheckout(checkout);
  await run(checkout, "npm", ["run", "package", "--", "--pack-destination", directory.path]);
  tarball = join(directory.path, `keywarden-${version}.tgz`);
  mkdirSync(unpacked);
  await run(unpacked, "tar", ["--extract", "--gzip", "--file", tarball]);
  files = readdirSync(join(unpacked, "package"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(join(unpacked, "package/").length));
  const bytes = files.reduce((sum, file) => sum + statSync(join(unpacked, "package", file)).size, 0);
  const [packed, whole] = [statSync(tarball).size, bytes].map((size) => `${Math.round(size / 1024)} KiB`);
  console.log(`keywarden-${version}.tgz: ${packed}, ${whole} unpacked, ${files.length} files`);
});
afterAll(() => directory.remove());

const EXPECTED = [
  /^(CHANGELOG\.md|LICENSE|README\.md|package\.json|run\.mjs|bin\/keywarden\.mjs)$/,
  /^dist\/([\w/-]+\.js|adapters\/http\/openapi\.json)$/,
  /^docs\/[\w/-]+\.md$/,
  /^drizzle\/\w+\/(\d{4}_\w+\.sql|meta\/_journal\.json)$/,
  /^examples\/[\w./-]+\.(csv|json|jsonl|service|yaml)$/,
  /^proto\/[\w/]+\.proto$/,
];

describe("the package", () => {
  it("holds what runs, its documentation and the contract, and nothing else", () => {
    expect(files.filter((file) => !EXPECTED.some((pattern) => pattern.test(file)))).toEqual([]);
    for (const pattern of EXPECTED) expect(files.some((file) => pattern.test(file))).toBe(true);
  });

  it("holds no tests, no links to maps or sources that are not there, and no secrets", () => {
    expect(
      files.filter((file) => /\.test\.|\.map$|\.ts$|(^|\/)(pepper|seal-key|admin-token)$/.test(file)),
    ).toEqual([]);
    const holding = (pattern: RegExp) =>
      files.filter((file) => pattern.test(readFileSync(join(unpacked, "package", file), "utf8")));
    expect(holding(/sourceMappingURL=/)).toEqual([]);
    expect(holding(/\bkw_live_[0-9A-Za-z]{38}\b|-----BEGIN (\w+ )?PRIVATE KEY-----\n[A-Za-z0-9+/]/)).toEqual(
      [],
    );
  });

  it("may be published, and is built on the way whatever npm is told of scripts", () => {
    const manifest = JSON.parse(readFileSync(join(unpacked, "package/package.json"), "utf8"));
    expect(manifest).not.toHaveProperty("private");
    expect(manifest).toMatchObject({ publishConfig: { "ignore-scripts": false } });
  });
});

it("npm pack, which builds nothing here, is refused by a name that says what to do", async () => {
  const checkout = join(directory.path, "checkout");
  await expect(run(checkout, "npm", ["pack"])).rejects.toMatchObject({
    stderr: expect.stringContaining("npm-run-package-instead"),
  });
  expect(readdirSync(checkout).filter((name) => name.endsWith(".tgz"))).toEqual([]);
});

const LISTENERS = ["--grpc", "--http", "--admin-grpc", "--admin-http"].flatMap((flag) => [
  flag,
  "127.0.0.1:0",
]);
const SERVE = ["serve", "--environment", "test", ...LISTENERS, "--log-format", "json"];

/** The server of the package that is installed in a folder, and its command line. */
async function serve(folder: string) {
  const keywarden = join(folder, "node_modules/.bin/keywarden");
  const server = await startServer(folder, keywarden, SERVE);
  const variables = { KEYWARDEN_ADDRESS: server.adminGrpc, KEYWARDEN_VERIFY_ADDRESS: server.grpc };
  const cli = (args: readonly string[], input = "") => run(folder, keywarden, args, { variables, input });
  return { server, cli };
}

describe("the package, installed into an empty folder", () => {
  const folder = join(directory.path, "installed");

  it("serves: a first key is made, verified and revoked, and SIGTERM ends it with 0", async () => {
    mkdirSync(folder);
    await run(folder, "npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball]);
    expect(await run(folder, "npx", ["keywarden", "--version"])).toBe(`${version}\n`);

    const { server, cli } = await serve(folder);
    expect(await cli(["health"])).toContain("serves");
    const example = join(folder, "node_modules/keywarden/examples/connect2print.yaml");
    await cli(["api", "apply", "--yes", "-f", example]);
    const token = await cli(["key", "create", "--api", "c2p", "--environment", "test", "--owner", "acct_42"]);
    expect(await cli(["verify"], token)).toContain("allowed");
    const id = await cli(["key", "list", "--api", "c2p", "--quiet"]);
    await cli(["key", "revoke", id.trim(), "--yes"]);
    const denied = { code: 1, stdout: expect.stringContaining("REVOKED") };
    await expect(cli(["verify"], token)).rejects.toMatchObject(denied);

    expect(await server.stop()).toBe(0);
    await expect(cli(["health", "--quiet"])).rejects.toMatchObject({ code: 4 });
  });

  it("serves where packages are reached through links, as pnpm lays them out", async () => {
    const linked = join(directory.path, "linked/node_modules");
    mkdirSync(join(linked, ".pnpm"), { recursive: true });
    mkdirSync(join(linked, ".bin"));
    renameSync(join(folder, "node_modules"), join(linked, ".pnpm/node_modules"));
    symlinkSync(".pnpm/node_modules/keywarden", join(linked, "keywarden"));
    symlinkSync("../keywarden/bin/keywarden.mjs", join(linked, ".bin/keywarden"));

    const { server, cli } = await serve(join(directory.path, "linked"));
    expect(await cli(["health"])).toContain("serves");
    expect(await server.stop()).toBe(0);
  });
});
