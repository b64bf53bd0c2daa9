import { getPriority, setPriority } from "node:os";

/*
 * Where there is more to do than there are cores, verifications come first: all other threads give way to them. On Linux a
 * nice value is a thread's own, which threads that it starts begin with (sched(7)); elsewhere it is the whole process's, and
 * left alone.
 */

/** What work that is not a verification gives way by: of a core that is all taken it still has a tenth. */
const BEHIND = 10;
const MOST = 19;

/** The calling thread's nice value. */
export function niceness(): number {
  return getPriority();
}

/** The calling thread gives way to those that verify, and which have the nice value `theirs`. */
export function giveWay(theirs: number): void {
  setNiceness(Math.min(MOST, theirs + BEHIND));
}

/** Takes this nice value, if the calling thread may: a lower one than its own is not for everybody (RLIMIT_NICE). */
export function setNiceness(value: number): void {
  if (process.platform !== "linux") return;
  try {
    setPriority(value);
  } catch {
    // It then stays as it is: nothing is wrong but the order.
  }
}
