/**
 * Calls `act` at once, and then not again within so many milliseconds: with the sum of the amounts since it was called last,
 * and the newest detail. `now`: milliseconds of a clock that never steps back.
 */
export function throttled<Detail>(
  intervalMs: number,
  act: (amount: number, detail: Detail) => void,
  now: () => number = () => performance.now(),
): (amount: number, detail: Detail) => void {
  let quietUntil = Number.NEGATIVE_INFINITY;
  let waiting = 0;
  return (amount, detail) => {
    waiting += amount;
    if (now() < quietUntil) return;
    quietUntil = now() + intervalMs;
    const sum = waiting;
    waiting = 0;
    act(sum, detail);
  };
}
