// The load generator: makes the calls of its lanes, given as JSON, and prints what became of them, as JSON.
import { type LaneSpec, runLane } from "./generator/lane.ts";

const lanes: readonly LaneSpec[] = JSON.parse(process.argv[2] ?? "[]");
console.log(JSON.stringify(await Promise.all(lanes.map(runLane))));
process.exit(0);
