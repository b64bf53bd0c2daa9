import { type Stats, statSync } from "node:fs";
import { basename } from "node:path";
import type { Finding } from "../domain/finding.ts";

const GROUP = 0o070;
const WRITTEN_BY_OTHERS = 0o022;
const READ_BY_OTHERS = 0o055;
/** On a directory: what is made in it belongs to its group. */
const SET_GROUP = 0o2000;

/** Who but the server's own user gets at the store's directory and the files in it, of which the database is the first. */
export function accessFindings(directory: string, files: readonly string[]): readonly Finding[] {
  const inDirectory = statSync(directory);
  const there = files.flatMap((path) => {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats === undefined ? [] : [{ path, stats }];
  });
  const group = sharedGroup(inDirectory);
  const exposures = [
    ...exposure(directory, inDirectory, "700", group),
    ...there.flatMap(({ path, stats }) => exposure(path, stats, "600", group)),
  ];
  if (group === undefined) return [...exposures, ...ownership(there, inDirectory.uid, "its directory")];
  // Such a directory belongs to whoever has set it up.
  const [database] = there;
  return [
    ...exposures,
    ...(database === undefined ? [] : ownership(there, database.stats.uid, "the database")),
    {
      severity: "note",
      code: "SHARED_WITH_GROUP",
      what: `group ${group} may use ${directory} and the files in it, as a Kubernetes volume's fsGroup may`,
      next: "Let nobody but the server be in that group",
    },
  ];
}

/** The group that the directory is made for, if this process is in it; undefined: none. */
function sharedGroup({ mode, gid }: Stats): number | undefined {
  const own = [process.getegid?.(), ...(process.getgroups?.() ?? [])];
  return (mode & SET_GROUP) !== 0 && (mode & GROUP) !== 0 && own.includes(gid) ? gid : undefined;
}

function exposure(
  path: string,
  { mode, gid }: Stats,
  wanted: string,
  group: number | undefined,
): readonly Finding[] {
  const next = `Run: chmod ${wanted} ${path}`;
  const others = gid === group ? mode & ~GROUP : mode;
  if ((others & WRITTEN_BY_OTHERS) !== 0) {
    return [{ severity: "error", code: "EXPOSED", what: `others on this machine may write ${path}`, next }];
  }
  if ((others & READ_BY_OTHERS) === 0) return [];
  const severity = basename(path) === "admin-token" ? "error" : "warning";
  return [{ severity, code: "EXPOSED", what: `others on this machine may read ${path}`, next }];
}

function ownership(
  files: readonly { readonly path: string; readonly stats: Stats }[],
  owner: number,
  of: string,
): readonly Finding[] {
  return files
    .filter(({ stats: { uid } }) => uid !== owner)
    .map(({ path, stats: { uid } }) => ({
      severity: "warning",
      code: "ANOTHER_OWNER",
      what: `${path} belongs to user ${uid}, and ${of} to user ${owner}`,
      next: `Run the server as one user, and: chown ${owner} ${path}`,
    }));
}
