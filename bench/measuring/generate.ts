import { join } from "node:path";
import type { LaneResult, LaneSpec } from "../generator/lane.ts";
import { runOnLoadCore } from "./children.ts";

const GENERATOR = join(import.meta.dirname, "../generator.ts");

/** Runs the lanes side by side, in a process of their own. Rejects if any reply was not as expected. */
export async function generate(lanes: readonly LaneSpec[]): Promise<readonly LaneResult[]> {
  const results: readonly LaneResult[] = JSON.parse(
    await runOnLoadCore(process.execPath, [GENERATOR, JSON.stringify(lanes)]),
  );
  for (const [index, { wrong, requests }] of results.entries()) {
    if (wrong > 0) throw new Error(`${wrong} of ${requests} replies of ${lanes[index]?.path} were wrong`);
  }
  return results;
}

/** Requests a second that a lane gets through at most, once it is warm. */
export async function peakRate(lane: LaneSpec): Promise<number> {
  await generate([lane]);
  const [peak] = await generate([lane]);
  return (peak?.requests ?? 0) / (peak?.seconds ?? 1);
}
