import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { CACHE, containerTools } from "../tools.ts";

const STORE = join(CACHE, "container-images");

/** What buildah tells of an image, in Docker's words. */
const inspected = z.object({
  Docker: z.object({
    config: z.object({
      User: z.string(),
      Env: z.array(z.string()),
      Entrypoint: z.array(z.string()),
      Cmd: z.array(z.string()),
      WorkingDir: z.string(),
      StopSignal: z.string(),
      ExposedPorts: z.record(z.string(), z.unknown()),
      Volumes: z.record(z.string(), z.unknown()),
      Labels: z.record(z.string(), z.string()),
      Healthcheck: z.object({ Test: z.array(z.string()) }),
    }),
  }),
});

export type ImageConfig = z.infer<typeof inspected>["Docker"]["config"];

export interface Buildah {
  /** Runs one of its commands and gives what it printed; its progress goes to standard error. */
  run(command: string, ...args: readonly string[]): string;
  /** Makes a root file system of a release of Debian, as a tar file. */
  debian(suite: string, file: string): void;
  config(image: string): ImageConfig;
  has(image: string): boolean;
}

/** Why no image can be built and run here; undefined if one can. */
export function obstacle(): string | undefined {
  if (process.platform !== "linux") return "only Linux has containers";
  if (process.getuid?.() !== 0) return "without a daemon, only root can build an image";
  for (const tool of ["unshare", "nsenter", "ip", "apt-get", "python3"]) {
    if (spawnSync(tool, ["--version"]).error !== undefined) return `there is no ${tool}`;
  }
  const { status } = spawnSync("unshare", ["--mount", "--pid", "--net", "--fork", "true"]);
  return status === 0 ? undefined : "this machine allows no namespaces";
}

/** buildah without a daemon, with a store in the cache; undefined, said aloud, if it cannot be had. */
export function openBuildah(): Buildah | undefined {
  const tools = containerTools();
  if (tools === undefined) return undefined;
  mkdirSync(STORE, { recursive: true });
  // Where nobody else sees it, its files lie over the machine's own: it starts itself anew, and looks for its libraries.
  const overlay = `mount -t overlay overlay -o lowerdir=${tools}/usr:/usr /usr && exec "$@"`;
  const inside = (program: string, args: readonly string[]) => {
    const { status, stdout } = spawnSync(
      "unshare",
      ["--mount", "sh", "-c", overlay, "sh", program, ...args],
      {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
        maxBuffer: 1 << 26,
        env: { ...process.env, CONTAINERS_REGISTRIES_CONF: join(tools, "etc/containers/registries.conf") },
      },
    );
    if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}:\n${stdout}`);
    return stdout.trim();
  };
  const places = ["--root", join(STORE, "root"), "--runroot", join(STORE, "run"), "--storage-driver", "vfs"];
  const policy = ["--signature-policy", join(tools, "etc/containers/policy.json")];
  const run = (command: string, ...args: readonly string[]) =>
    inside("buildah", [
      ...places,
      command,
      ...(["from", "commit", "bud"].includes(command) ? policy : []),
      ...args,
    ]);
  return {
    run,
    debian: (suite, file) => {
      if (existsSync(file)) return;
      inside("mmdebstrap", [
        "--quiet",
        "--mode=root",
        "--variant=minbase",
        "--include=libstdc++6",
        suite,
        file,
      ]);
    },
    config: (image) => inspected.parse(JSON.parse(run("inspect", "--type", "image", image))).Docker.config,
    has: (image) => run("images", "--format", "{{.Name}}:{{.Tag}}").split("\n").includes(image),
  };
}
