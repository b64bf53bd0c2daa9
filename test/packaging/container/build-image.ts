import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { copyCheckout, ROOT } from "../checkout.ts";
import { newcomersVariables } from "../newcomer.ts";
import { CACHE } from "../tools.ts";
import type { Buildah } from "./buildah.ts";

const RUNTIME = "localhost/keywarden-runtime";
const BASE = "localhost/keywarden-base";

/** What a command of this machine, not one of this project, prints. */
function ofMachine(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, {
    encoding: "utf8",
    cwd: "/",
    env: newcomersVariables(),
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
}

/** Makes an image of the files in the root file system that `fill` is given, and forgets the container. */
function commit(buildah: Buildah, from: string, image: string, fill: (container: string) => void): void {
  const container = buildah.run("from", from);
  try {
    fill(container);
    buildah.run("commit", container, image);
  } finally {
    buildah.run("rm", container);
  }
}

/**
 * Stand-ins for the images that the Dockerfile names, where no registry of images is needed: the same release of Debian,
 * alone and with the Node.js that the package brings and this machine's npm.
 */
function makeBaseImages(
  buildah: Buildah,
  suite: string,
): { readonly base: string; readonly runtime: string } {
  const [runtime, base] = [`${RUNTIME}:${suite}`, `${BASE}:${suite}`];
  const tar = join(CACHE, `debian-${suite}.tar`);
  buildah.debian(suite, tar);
  if (!buildah.has(runtime)) {
    commit(buildah, "scratch", runtime, (container) => {
      buildah.run("add", container, tar, "/");
      buildah.run(
        "config",
        "--env",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        container,
      );
    });
  }
  if (!buildah.has(base)) {
    commit(buildah, runtime, base, (container) => {
      const local = join(buildah.run("mount", container), "usr/local");
      cpSync(process.execPath, join(local, "bin/node"));
      const npm = ofMachine("npm", "root", "--global");
      mkdirSync(join(local, "lib/node_modules"), { recursive: true });
      cpSync(join(npm, "npm"), join(local, "lib/node_modules/npm"), { recursive: true });
      symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(local, "bin/npm"));
      // The registry of this machine, and whom it trusts to be that.
      const registry = ofMachine("npm", "config", "get", "registry");
      buildah.run("config", "--env", `npm_config_registry=${registry}`, container);
      const { NODE_EXTRA_CA_CERTS: authorities } = process.env;
      if (authorities !== undefined) {
        cpSync(authorities, join(local, "ca.pem"), { dereference: true });
        buildah.run("config", "--env", "NODE_EXTRA_CA_CERTS=/usr/local/ca.pem", container);
      }
    });
  }
  return { base, runtime };
}

/** Builds the Dockerfile from what a clone of this checkout would hold, in `directory`; gives the image's name. */
export function buildImage(buildah: Buildah, directory: string): string {
  const image = "localhost/keywarden:test";
  const suite = /^ARG RUNTIME=debian:(\w+)-slim$/m.exec(readFileSync(join(ROOT, "Dockerfile"), "utf8"))?.[1];
  if (suite === undefined) throw new Error("the Dockerfile names no release of Debian");
  const { base, runtime } = makeBaseImages(buildah, suite);
  copyCheckout(directory);
  const downloads = join(CACHE, "container-npm");
  mkdirSync(downloads, { recursive: true });
  buildah.run(
    "bud",
    "--format=docker",
    "--isolation=chroot",
    `--build-arg=BASE=${base}`,
    `--build-arg=RUNTIME=${runtime}`,
    `--volume=${downloads}:/root/.npm`,
    `--tag=${image}`,
    directory,
  );
  // What had the name before.
  buildah.run("rmi", "--prune", "--force");
  return image;
}
