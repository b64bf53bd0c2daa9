import { spawnSync } from "node:child_process";
import { readFileSync, statfsSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";

/** What the figures were measured on, and with: a line each. */
export interface Machine {
  readonly hardware: string;
  readonly software: string;
}

const ROOT = join(import.meta.dirname, "../..");
const MANIFEST = readFileSync(join(ROOT, "package.json"), "utf8");
const GO_MODULE = readFileSync(join(ROOT, "bench/reference-go/go.mod"), "utf8");
/** Of statfs(2), for what is common and what makes an fsync cost nothing. */
const FILE_SYSTEMS = new Map([
  [0xef53, "ext4"],
  [0x58465342, "XFS"],
  [0x9123683e, "Btrfs"],
  [0x794c7630, "overlayfs"],
  [0x01021994, "tmpfs, in memory: revocations are not written to a disk"],
]);

/** `directory`: where the stores are. */
export function describeMachine(directory: string): Machine {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const fileSystem = FILE_SYSTEMS.get(statfsSync(directory).type) ?? "an unknown file system";
  const others = loadavg()[0]?.toFixed(1);
  return {
    hardware: `${cpu?.model.trim()}, ${cpus().length} cores, ${memory} GiB, Linux ${release()}, stores on ${fileSystem}; load average ${others} when it began`,
    software: `Node.js ${process.versions.node}, grpc-js ${versionIn(MANIFEST, /"@grpc\/grpc-js": "(.*)"/)}, protobuf-es ${versionIn(MANIFEST, /"@bufbuild\/protobuf": "(.*)"/)}, ${goVersion()}, ${firstLine("h2load", "--version")}`,
  };
}

function goVersion(): string {
  const go = firstLine("go", "version");
  return go === ""
    ? "no Go"
    : `grpc-go ${versionIn(GO_MODULE, /google\.golang\.org\/grpc v(.*)/)} (${go.split(" ")[2]})`;
}

function versionIn(text: string, pattern: RegExp): string {
  return pattern.exec(text)?.[1] ?? "of unknown version";
}

function firstLine(command: string, argument: string): string {
  return (spawnSync(command, [argument], { encoding: "utf8" }).stdout ?? "").split("\n")[0] ?? "";
}
