import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { rotateSecret } from "../../src/adapters/secrets/secret-changes.ts";
import type { KeywardenProcess } from "../support/keywarden-process.ts";
import { placePerTest } from "../support/place-per-test.ts";

const MAIN = resolve(import.meta.dirname, "../../src/main.ts");
const place = placePerTest();
let server: KeywardenProcess;
beforeEach(async () => {
  server = await place.start();
});

async function restart(): Promise<void> {
  await server.stop();
  server = await place.start();
}

/** A start that is expected to be refused. */
async function refusedStart(environment: NodeJS.ProcessEnv, ...flags: string[]) {
  const store = `sqlite:${place.path("keywarden.db")}`;
  const listeners = ["--grpc", "127.0.0.1:0", "--admin-grpc", "127.0.0.1:0"];
  const child = spawn(process.execPath, [MAIN, "serve", "--store", store, ...listeners, ...flags], {
    env: { ...process.env, NO_COLOR: "1", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (printed += chunk));
  await once(child, "close");
  return { code: child.exitCode, printed };
}

async function issue(): Promise<string> {
  const { token } = await server
    .adminClient()
    .createKey({ key: { api: "a", environment: "test", owner: "o" } });
  return token;
}

const isAllowed = async (token: string) => (await server.verifyClient().verifyKey({ token })).allowed;

it("both secrets are rotated without issuing one key again", async () => {
  const api = { apiId: "a", displayName: "A", tokenPrefix: "a", environments: ["test"] };
  await server.adminClient().createApi({ api });
  const old = await issue();
  rotateSecret("pepper", place.path("pepper"));
  rotateSecret("seal-key", place.path("seal-key"));
  await restart();
  expect(await isAllowed(old)).toBe(true);
  const fresh = await issue();
  expect(await isAllowed(fresh)).toBe(true);
  await restart();
  expect([await isAllowed(old), await isAllowed(fresh)]).toEqual([true, true]);
});

it.each([
  ["pepper", "--pepper"],
  ["seal-key", "--seal-key"],
])(
  "a start without the %s that the store was made with is refused, and nothing is changed",
  async (name, flag) => {
    await server.stop();
    const secret = readFileSync(place.path(name), "utf8").trim();
    writeFileSync(place.path(name), `${Buffer.alloc(32, 7).toString("base64")}\n`);
    const database = readFileSync(place.path("keywarden.db"));
    const wrong = await refusedStart({});
    expect(wrong).toMatchObject({
      code: 5,
      printed: expect.stringMatching(/holds \w{8}, and the store was made/),
    });
    const missing = await refusedStart({}, flag, "env:NOT_SET_ANYWHERE");
    expect(missing).toMatchObject({
      code: 5,
      printed: expect.stringContaining("NOT_SET_ANYWHERE is not set"),
    });
    const mistaken = await refusedStart({
      [`KEYWARDEN_${flag.slice(2).replace("-", "_").toUpperCase()}`]: secret,
    });
    expect(mistaken).toMatchObject({
      code: 2,
      printed: expect.stringContaining("looks like a secret itself"),
    });
    for (const { printed } of [wrong, missing, mistaken]) expect(printed).not.toContain(secret.slice(0, 16));
    expect(readFileSync(place.path("keywarden.db")).equals(database)).toBe(true);
    writeFileSync(place.path(name), secret);
    server = await place.start();
  },
);
