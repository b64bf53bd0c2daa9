import { digestToken, hashToken } from "../domain/digest.ts";
import { generateToken, type Token } from "../domain/token.ts";
import type { NewToken } from "../ports/store.ts";
import type { AdminParts } from "./admin-parts.ts";

/** A new token, and what is stored of it. */
export function issueToken(
  { pepper, randomBytes }: Pick<AdminParts, "pepper" | "randomBytes">,
  { prefix, environment, generation }: { prefix: string; environment: string; generation: number },
): { readonly token: Token; readonly stored: NewToken } {
  const token = generateToken(prefix, environment, randomBytes);
  const digest = digestToken(hashToken(token.reveal()), pepper);
  return { token, stored: { digest, pepperId: pepper.id, generation } };
}
