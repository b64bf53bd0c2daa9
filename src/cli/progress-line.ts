import type { OnProgress } from "../domain/store-care.ts";
import type { Shell } from "./shell.ts";
import { megabytes } from "./size-text.ts";

const LEAST_MS_BETWEEN = 100;
const CLEAR = "\r\u001b[K";

/** Shows how far a long step has come, on one line of a terminal that is gone afterwards; elsewhere nothing. */
export function progressLine({ stderr, now }: Pick<Shell, "stderr" | "now">): {
  show: OnProgress;
  end(): void;
} {
  let last = -Infinity;
  if (stderr.isTTY !== true) return { show: () => {}, end: () => {} };
  return {
    show({ step, done, total, unit }) {
      if (now() - last < LEAST_MS_BETWEEN) return;
      last = now();
      const amount = (count: number) => (unit === "bytes" ? megabytes(count) : count.toLocaleString("en"));
      const far = total > 1 ? `: ${amount(done)} of ${amount(total)}` : "";
      stderr.write(`${CLEAR}${step}${far} …`);
    },
    end() {
      if (last > -Infinity) stderr.write(CLEAR);
    },
  };
}
