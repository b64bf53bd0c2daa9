import { randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createPepper, type Pepper, type PepperId } from "../../domain/digest.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { writePrivateFile } from "./private-file.ts";

const PEPPER_SIZE = 32;

/**
 * The pepper in this file: 32 bytes in base64. A missing file is made, unless the store already holds tokens that
 * were digested with another pepper (`stored`): without that one they would all be unknown.
 *
 * Throws FAILED_PRECONDITION: PEPPER_MISSING, PEPPER_UNREADABLE, PEPPER_EXPOSED, PEPPER_WRONG.
 */
export function loadPepper(path: string, stored: readonly PepperId[]): Pepper {
  const text = readIfPresent(path);
  if (text === undefined) {
    if (stored.length > 0) {
      throw refusal(
        "PEPPER_MISSING",
        `${path} is missing, and the keys in the store cannot be verified without it`,
      );
    }
    const secret = randomBytes(PEPPER_SIZE);
    writePrivateFile(path, `${secret.toString("base64")}\n`);
    return createPepper(secret);
  }
  const secret = Buffer.from(text.trim(), "base64");
  if (secret.length !== PEPPER_SIZE || secret.toString("base64") !== text.trim()) {
    throw refusal("PEPPER_UNREADABLE", `${path} must hold ${PEPPER_SIZE} bytes in base64 and nothing else`);
  }
  const pepper = createPepper(secret);
  const others = stored.filter((id) => id !== pepper.id);
  if (others.length > 0) {
    throw refusal(
      "PEPPER_WRONG",
      `${path} is pepper ${pepper.id}, but the store was made with ${others.join(", ")}`,
    );
  }
  return pepper;
}

function readIfPresent(path: string): string | undefined {
  try {
    if ((statSync(path).mode & 0o007) !== 0) {
      throw refusal("PEPPER_EXPOSED", `everyone on this machine can open ${path}; run: chmod 600 ${path}`);
    }
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof KeywardenError) throw error;
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw refusal("PEPPER_UNREADABLE", `${path} cannot be read`, error);
  }
}

function refusal(reason: string, message: string, cause?: unknown): KeywardenError {
  return new KeywardenError({
    status: "FAILED_PRECONDITION",
    reason,
    message: `${message}. The pepper's file is set by --pepper-file; restore it from where it was backed up.`,
    cause,
  });
}
