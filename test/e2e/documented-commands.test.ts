import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it } from "vitest";
import { grpcurlFolder } from "../support/grpcurl.ts";
import { temporaryDirectory } from "../support/keywarden-process.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** Run by CI itself (.ci/run): here, they would start themselves. */
const RUN_BY_CI = ["npm ci && npm test", "npm run check"];
const START = "npm ci && npm start";

const checkout = temporaryDirectory();
const environment: NodeJS.ProcessEnv = {
  ...process.env,
  NO_COLOR: "1",
  npm_config_prefer_offline: "true",
  KEYWARDEN_GRPC: "127.0.0.1:0",
  KEYWARDEN_HTTP: "127.0.0.1:0",
  KEYWARDEN_ADMIN_GRPC: "127.0.0.1:0",
  KEYWARDEN_LOG_FORMAT: "json",
};
let stop: () => Promise<number | null>;
let serving: { grpc: string; http: string; adminGrpc: string };

/** Every command in a page, in order: the lines of its `sh` blocks. */
function commandsOf(page: string): string[] {
  const blocks = readFileSync(join(ROOT, page), "utf8").matchAll(/^```sh\n(.*?)^```$/gms);
  return [...blocks].flatMap(([, block = ""]) =>
    block.split("\n").filter((line) => line !== "" && !line.startsWith("#")),
  );
}

const pages = ["README.md", "CONTRIBUTING.md", ...globSync("docs/**/*.md", { cwd: ROOT })];
const commands = new Map(pages.map((page) => [page, commandsOf(page)]));

beforeAll(async () => {
  // What a clone would hold, with the changes that are being tested.
  const listed = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  for (const file of listed.stdout.split("\n").filter((name) => name !== "")) {
    // One that is deleted is listed until that is committed.
    if (!existsSync(join(ROOT, file))) continue;
    cpSync(join(ROOT, file), join(checkout.path, file), { force: true });
  }
  const started = spawn("sh", ["-c", START], {
    cwd: checkout.path,
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const exited = once(started, "exit");
  stop = async () => {
    process.kill(-started.pid!, "SIGTERM");
    await exited;
    return started.exitCode;
  };
  const ready = Promise.withResolvers<typeof serving>();
  createInterface({ input: started.stdout }).on("line", (line) => {
    if (line.includes('"msg":"serving"')) ready.resolve(JSON.parse(line));
  });
  exited.then(() => ready.reject(new Error(`${START} ended before it served`)));
  serving = await ready.promise;
});
afterAll(async () => {
  await stop();
  checkout.remove();
});

/** Runs a page's commands as one shell would, and gives what each printed. */
function run(page: string): { command: string; printed: string; failed: boolean }[] {
  const grpcurl = grpcurlFolder();
  const shown = commands.get(page)!.filter((command) => command !== START && !RUN_BY_CI.includes(command));
  const runnable = shown.filter((command) => grpcurl !== undefined || !command.startsWith("grpcurl"));
  const script = runnable.map((command) => `${command}\nprintf '\\n\\036%s\\036' "$?"`).join("\n");
  const { stdout } = spawnSync(
    "sh",
    [
      "-c",
      script
        .replaceAll("127.0.0.1:50051", serving.grpc)
        .replaceAll("127.0.0.1:50052", serving.adminGrpc)
        .replaceAll("127.0.0.1:8080", serving.http),
    ],
    {
      cwd: checkout.path,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...environment,
        PATH: [grpcurl, dirname(process.execPath), process.env["PATH"]].filter(Boolean).join(":"),
        KEYWARDEN_ADDRESS: serving.adminGrpc,
        KEYWARDEN_VERIFY_ADDRESS: serving.grpc,
      },
    },
  );
  const results = stdout.split("\u001e");
  return runnable.map((command, index) => ({
    command,
    printed: results[index * 2] ?? "",
    failed: results[index * 2 + 1] !== "0",
  }));
}

it("the README starts a server with one command, and its first key with five more", () => {
  const shown = run("README.md");
  expect(commands.get("README.md")![0]).toBe(START);
  expect(shown.filter(({ failed }) => failed)).toEqual([]);
  expect(shown.find(({ command }) => command.includes("verify --scope"))?.printed).toMatch(/allowed/);
  const called = shown.find(({ command }) => command.startsWith("grpcurl") && command.includes("VerifyKey"));
  // By then the page has revoked the key.
  if (called) expect(called.printed).toContain("REASON_REVOKED");
});

it("the README's commands do the same a second time", () => {
  expect(run("README.md").filter(({ failed }) => failed)).toEqual([]);
});

for (const page of pages.filter((page) => page !== "README.md")) {
  it(`every command in ${page} runs`, () => {
    expect(run(page).filter(({ failed }) => failed)).toEqual([]);
  });
}

it("what installs and tests it is what CI runs", () => {
  const ci = readFileSync(join(ROOT, ".ci/run"), "utf8");
  for (const command of RUN_BY_CI.flatMap((line) => line.split(" && ")))
    expect(ci).toContain(`\n${command}\n`);
});
