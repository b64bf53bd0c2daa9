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

/**
 * The admin credential that the settings name.
 * @throws Failure that says where it was looked for, and never what was found.
 */
export async function readCredential(settings: ClientSettings): Promise<string> {
  if (settings.adminToken !== undefined) return settings.adminToken;
  const path = resolve(settings.tokenFile);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw unreadable(
      error,
      "the admin token's file",
      path,
      "A server writes it beside its database when it first starts: npm start, or keywarden serve.",
      "Run from that server's directory, or say --token-file FILE (KEYWARDEN_TOKEN_FILE) or KEYWARDEN_ADMIN_TOKEN.",
    );
  });
  const token = bearerToken.safeParse(text.trim());
  if (token.success) return token.data;
  throw usage(`the admin token's file ${path} does not hold one token (${text.length} characters)`);
}
