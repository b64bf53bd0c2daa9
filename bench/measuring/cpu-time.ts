import { readdirSync, readFileSync } from "node:fs";

/** What /proc/PID/stat counts in: USER_HZ, which is 100 a second on every Linux that Node.js runs on (time(7)). */
const TICKS_PER_SECOND = 100;

export interface ProcessStat {
  readonly parent: number;
  /** User and system time of all of its threads, in seconds. */
  readonly cpuSeconds: number;
}

/** Reads proc_pid_stat(5). The name in parentheses may itself hold spaces and parentheses. */
export function parseStat(stat: string): ProcessStat {
  const afterName = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // Fields 4 (ppid), 14 (utime) and 15 (stime); the first after the name is field 3.
  const [parent, user, system] = [afterName[1], afterName[11], afterName[12]].map(Number);
  if (
    parent === undefined ||
    user === undefined ||
    system === undefined ||
    Number.isNaN(parent + user + system)
  ) {
    throw new TypeError(`not a /proc/PID/stat: ${stat}`);
  }
  return { parent, cpuSeconds: (user + system) / TICKS_PER_SECOND };
}

/** Seconds of CPU that the process and all that descend from it have used. */
export function treeCpuSeconds(root: number): number {
  const stats = new Map<number, ProcessStat>();
  for (const name of readdirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? readIfRunning(`/proc/${name}/stat`) : undefined;
    if (stat !== undefined) stats.set(Number(name), parseStat(stat));
  }
  if (!stats.has(root)) throw new Error(`process ${root} is not running`);
  const isInTree = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at !== 0; at = stats.get(at)?.parent) {
      if (at === root) return true;
    }
    return false;
  };
  let seconds = 0;
  for (const [pid, { cpuSeconds }] of stats) if (isInTree(pid)) seconds += cpuSeconds;
  return seconds;
}

/** Resident memory of one process, in MiB. */
export function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kib === undefined) throw new Error(`/proc/${pid}/status has no VmRSS`);
  return Number(kib) / 1024;
}

/** Undefined if the process has ended meanwhile. */
function readIfRunning(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
