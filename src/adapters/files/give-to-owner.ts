import { chownSync, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Gives a private file to whoever owns the store, or else its directory: who works on a machine may be root, and the
 * server is not. Its group, which has no access, follows where the owner does: not everybody may give to any group.
 */
export function giveToOwner(file: string, store: string): void {
  const { uid, gid } = statSync(existsSync(store) ? store : dirname(store));
  if (statSync(file).uid !== uid) chownSync(file, uid, gid);
}
