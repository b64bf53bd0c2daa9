import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const VERSION = "v1.9.4";
const FOLDER = resolve(import.meta.dirname, "../../node_modules/.cache/keywarden-tools", VERSION);

/**
 * The folder of a real grpcurl, which is built with Go the first time. Undefined, and said aloud, where there is no Go
 * to build it with or nowhere to get it from.
 */
export function grpcurlFolder(): string | undefined {
  if (existsSync(join(FOLDER, "grpcurl"))) return FOLDER;
  try {
    execFileSync("go", ["install", `github.com/fullstorydev/grpcurl/cmd/grpcurl@${VERSION}`], {
      env: { ...process.env, GOBIN: FOLDER, GOFLAGS: "" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    return FOLDER;
  } catch (error) {
    console.warn(
      `NOT TESTED WITH grpcurl: it could not be built (${error instanceof Error ? error.message : error})`,
    );
    return undefined;
  }
}
