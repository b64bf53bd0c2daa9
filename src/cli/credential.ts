import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { bearerToken } from "../settings/values.ts";
import type { ClientSettings } from "../settings.ts";
import { usage } from "./failure.ts";
import { unreadable } from "./unreadable.ts";

/** Where a command's admin credential comes from, in words. */
export function credentialSource({ adminToken, tokenFile }: ClientSettings): string {
  return adminToken === undefined ? resolve(tokenFile) : "KEYWARDEN_ADMIN_TOKEN";
}

/** Where the credential to call the data plane with comes from, in words; undefined: there is none. */
export function callerCredentialSource({ callerToken, callerTokenFile }: ClientSettings): string | undefined {
  if (callerToken !== undefined) return "KEYWARDEN_CALLER_TOKEN";
  return callerTokenFile === undefined ? undefined : resolve(callerTokenFile);
}

/**
 * The admin credential that the settings name.
 * @throws Failure that says where it was looked for, and never what was found.
 */
export async function readCredential(settings: ClientSettings): Promise<string> {
  if (settings.adminToken !== undefined) return settings.adminToken;
  return readTokenFile(
    "the admin token's file",
    settings.tokenFile,
    "A server writes it beside its database when it first starts: npm start, or keywarden serve.",
    "Run from that server's directory, or say --token-file FILE (KEYWARDEN_TOKEN_FILE) or KEYWARDEN_ADMIN_TOKEN.",
  );
}

/**
 * The credential to call the data plane with; undefined if the settings name none.
 * @throws Failure that says where it was looked for, and never what was found.
 */
export async function readCallerCredential(settings: ClientSettings): Promise<string | undefined> {
  const { callerToken, callerTokenFile } = settings;
  if (callerToken !== undefined || callerTokenFile === undefined) return callerToken;
  return readTokenFile(
    "the caller token's file",
    callerTokenFile,
    "Make one: keywarden key create --api keywarden --scope verify:call …",
  );
}

async function readTokenFile(what: string, file: string, ...next: readonly string[]): Promise<string> {
  const path = resolve(file);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw unreadable(error, what, path, ...next);
  });
  const token = bearerToken.safeParse(text.trim());
  if (token.success) return token.data;
  throw usage(`${what} ${path} does not hold one token (${text.length} characters)`);
}
