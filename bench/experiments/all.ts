import { batch } from "./batch.ts";
import { cached } from "./cached.ts";
import { cold } from "./cold.ts";
import { denials } from "./denials.ts";
import type { Experiment } from "./experiment.ts";
import { growth } from "./growth.ts";
import { imports } from "./import.ts";
import { latency } from "./latency.ts";
import { memory } from "./memory.ts";
import { revocations } from "./revocations.ts";
import { start } from "./start.ts";
import { tail } from "./tail.ts";
import { workers } from "./workers.ts";

/** In the order that they run in: what revokes comes last. */
export const EXPERIMENTS: readonly Experiment[] = [
  cached,
  denials,
  workers,
  batch,
  growth,
  cold,
  latency,
  start,
  memory,
  revocations,
  tail,
  imports,
];
