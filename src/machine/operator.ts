import { userInfo } from "node:os";
import type { Actor } from "../domain/audit-chain.ts";

/** Whoever runs a command on the server's machine, as the audit has them. */
export const MACHINE: Actor = { kind: "MACHINE", keyId: null, ip: "" };

/** The operating system's user, as far as it can be in an audit; its number where it has no name. */
export function operatorName(): string {
  try {
    return userInfo()
      .username.replaceAll(/[^\w.@-]/g, "_")
      .slice(0, 64);
  } catch {
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}
