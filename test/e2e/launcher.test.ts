import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve, sep } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/keywarden-process.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const LAUNCHER = join(ROOT, "run.mjs");

/** The machine's own PATH, without the Node.js that this package brings. */
const { PATH = "" } = process.env;
const HOST_PATH = PATH.split(delimiter).filter((folder) => !folder.includes(`${sep}node_modules${sep}`));
const HOST_NODE =
  HOST_PATH.map((folder) => join(folder, "node")).find((file) => existsSync(file)) ?? process.execPath;

let directory: ReturnType<typeof temporaryDirectory>;
let children: ChildProcess[] = [];
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
  directory.remove();
});

/** A command under the machine's own Node.js, with what it and all that it started have written. */
function start(command: string, args: readonly string[], cwd = ROOT) {
  const env = { ...process.env, PATH: HOST_PATH.join(delimiter) };
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  let text = "";
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      for (const look of waiting) look();
    });
  }
  // "close" comes when everyone who can write to the pipes is gone: the server as well.
  const closed = once(child, "close").then(() => {
    for (const look of waiting) look();
    return { code: child.exitCode, signal: child.signalCode, text };
  });
  return {
    child,
    closed,
    /** The first match in what is written; rejects if all is closed before there is one. */
    written(pattern: RegExp): Promise<RegExpExecArray> {
      const { promise, resolve: found, reject } = Promise.withResolvers<RegExpExecArray>();
      const look = () => {
        const match = pattern.exec(text);
        if (match !== null) found(match);
      };
      waiting.add(look);
      look();
      void closed.then(() => reject(new Error(`it ended without ${pattern}:\n${text}`)));
      return promise;
    },
  };
}

function script(name: string, text: string): string {
  const file = join(directory.path, name);
  writeFileSync(file, text);
  return file;
}

const launched = (name: string, text: string, ...args: string[]) =>
  start(HOST_NODE, [LAUNCHER, script(name, text), ...args]);

const SERVE = ["--grpc", "127.0.0.1:0", "--admin-grpc", "127.0.0.1:0", "--log-format", "json"];
const store = () => ["--store", `sqlite:${join(directory.path, "keywarden.db")}`, ...SERVE];

describe("the launcher, under whatever Node.js the machine has", () => {
  it("runs TypeScript under a Node.js that is new enough, with its arguments", async () => {
    const text =
      "const version: string = process.versions.node;\nconsole.log(version, process.argv.slice(2));";
    const { code, text: said } = await launched("hello.ts", text, "--json", "a b").closed;
    expect(code).toBe(0);
    const [, major, minor] = /^(\d+)\.(\d+)\.\d+ \[ '--json', 'a b' \]\n$/.exec(said) ?? [];
    expect(Number(major) * 100 + Number(minor)).toBeGreaterThanOrEqual(2_218);
  });

  it("runs a command of the package, which finds the same Node.js", async () => {
    const { code, text } = await start(HOST_NODE, [LAUNCHER, "node", "-p", "process.version"]).closed;
    expect(code).toBe(0);
    expect(Number(/^v(\d+)\./.exec(text)?.[1])).toBeGreaterThanOrEqual(22);
  });

  it("ends with the exit code of what it ran", async () => {
    expect(await launched("exit.mjs", "process.exit(3)").closed).toMatchObject({ code: 3 });
  });

  it("ends like a shell where a signal ended what it ran", async () => {
    expect(await launched("kill.mjs", "process.kill(process.pid, 'SIGTERM')").closed).toMatchObject({
      code: 128 + 15,
    });
  });

  it("says what is missing where there is no such Node.js", async () => {
    copyFileSync(LAUNCHER, join(directory.path, "run.mjs"));
    const old = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.1.0"})';
    const { code, text } = await start(HOST_NODE, ["--import", old, join(directory.path, "run.mjs"), "x.mjs"])
      .closed;
    expect({ code, says: /needs Node\.js 22\.18 or newer and found 20\.1\.0\..*npm ci/.test(text) }).toEqual({
      code: 1,
      says: true,
    });
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("passes %s on and waits", async (signal) => {
    const text = `process.on("${signal}", () => { console.log("got it"); process.exit(7); }); setInterval(() => {}, 1e6); console.log("ready");`;
    const { child, closed, written } = launched("wait.mjs", text);
    await written(/ready/);
    child.kill(signal);
    expect(await closed).toMatchObject({ code: 7, text: "ready\ngot it\n" });
  });

  it("runs from a folder that is reached through a link", async () => {
    symlinkSync(ROOT, join(directory.path, "link"));
    const linked = join(directory.path, "link", "run.mjs");
    expect(await start(HOST_NODE, [linked, script("x.mjs", "console.log('ran')")]).closed).toMatchObject({
      text: "ran\n",
    });
  });
});

describe("a server under the launcher", () => {
  it("stops in order when the launcher is told to", async () => {
    const { child, closed, written } = start(HOST_NODE, [LAUNCHER, "src/main.ts", "serve", ...store()]);
    await written(/"serving"/);
    child.kill("SIGTERM");
    const { code, text } = await closed;
    expect({ code, stopped: text.includes('"stopped"') }).toEqual({ code: 0, stopped: true });
  });

  it("stops in order when the launcher is killed and cannot tell it", async () => {
    const { child, closed, written } = start(HOST_NODE, [LAUNCHER, "src/main.ts", "serve", ...store()]);
    await written(/"serving"/);
    child.kill("SIGKILL");
    const { signal, text } = await closed;
    expect({ signal, stopped: text.includes('"stopped"') }).toEqual({ signal: "SIGKILL", stopped: true });
  });

  it("does not mind Ctrl-C, which reaches it twice: from the terminal and from the launcher", async () => {
    // A group of its own, as a terminal's foreground job is one.
    const env = { ...process.env, PATH: HOST_PATH.join(delimiter) };
    const args = [LAUNCHER, "src/main.ts", "serve", ...store()];
    const child = spawn(HOST_NODE, args, {
      cwd: ROOT,
      env,
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    let text = "";
    for await (const chunk of child.stdout.setEncoding("utf8")) {
      const served = text.includes('"serving"');
      text += chunk;
      if (!served && text.includes('"serving"')) process.kill(-(child.pid ?? 0), "SIGINT");
    }
    expect(text).toContain('"stopped"');
    expect(child.exitCode ?? (await once(child, "exit"))[0]).toBe(0);
  });

  it("stops in order when npm start is told to", async () => {
    const { child, closed, written } = start("npm", ["start", "--", ...store()]);
    await written(/"serving"/);
    child.kill("SIGTERM");
    expect((await closed).text).toContain('"stopped"');
  });

  it("ends with 2, and says why, where its settings contradict each other", async () => {
    const off = ["--grpc", "off", "--http", "off", "--admin-grpc", "off"];
    const { code, text } = await start("npm", ["start", "--", ...off]).closed;
    expect({ code, says: text.includes("all off") }).toEqual({ code: 2, says: true });
  });
});

describe("the keywarden command", () => {
  it("runs from source in a checkout, also through npx", async () => {
    const version = /^\d+\.\d+\.\d+/;
    expect((await start(HOST_NODE, ["bin/keywarden.mjs", "--version"]).closed).text).toMatch(version);
    expect((await start("npx", ["keywarden", "--version"]).closed).text).toMatch(version);
    expect((await start("npx", ["keywarden", "kye"]).closed).code).toBe(2);
  });

  it("runs what was built where there is no source", async () => {
    for (const folder of ["bin", "dist"]) mkdirSync(join(directory.path, folder));
    copyFileSync(join(ROOT, "bin/keywarden.mjs"), join(directory.path, "bin/keywarden.mjs"));
    copyFileSync(LAUNCHER, join(directory.path, "run.mjs"));
    script("dist/main.js", "console.log('built', process.argv[2])");
    script("package.json", '{ "type": "module" }');
    const { text } = await start(process.execPath, [join(directory.path, "bin/keywarden.mjs"), "serve"])
      .closed;
    expect(text).toBe("built serve\n");
  });

  it("ends quietly when nobody reads its output any more", async () => {
    const { child, closed } = start(process.execPath, ["src/main.ts", "--help"]);
    child.stdout?.destroy();
    expect(await closed).toMatchObject({ code: 141, text: "" });
  });
});
