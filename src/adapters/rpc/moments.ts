import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import { invalidArgument } from "../../domain/keywarden-error.ts";

/** 10000-01-01T00:00:00Z in seconds: google.protobuf.Timestamp and Duration end before it. */
const YEAR_10000 = 253_402_300_800;
const YEAR_1 = -62_135_596_800;
/** google.protobuf.Duration: ± 10,000 years. */
const LONGEST_DURATION = 315_576_000_000;

/** Milliseconds since the epoch, cut to the millisecond. Throws INVALID_ARGUMENT outside of the years 1 to 9999. */
export function millisecondsOf(timestamp: Timestamp, field: string): number {
  const seconds = Number(timestamp.seconds);
  const inRange = seconds >= YEAR_1 && seconds < YEAR_10000 && timestamp.nanos >= 0 && timestamp.nanos < 1e9;
  if (!inRange)
    throw invalidArgument([
      { field, description: "is a time in the years 1 to 9999, with nanos from 0 to 999,999,999" },
    ]);
  return seconds * 1000 + Math.floor(timestamp.nanos / 1e6);
}

/** A duration in milliseconds, cut downwards. Throws INVALID_ARGUMENT for one that protobuf does not allow. */
export function durationMilliseconds(duration: Duration, field: string): number {
  const seconds = Number(duration.seconds);
  const { nanos } = duration;
  const inRange = Math.abs(seconds) <= LONGEST_DURATION && Math.abs(nanos) < 1e9 && !(seconds * nanos < 0);
  if (!inRange)
    throw invalidArgument([
      {
        field,
        description:
          "is a google.protobuf.Duration: at most 315,576,000,000 seconds, and nanos below a second with the same sign",
      },
    ]);
  return seconds * 1000 + Math.floor(nanos / 1e6);
}

/** The same, not cut: a fraction of a millisecond stays one. */
export function exactMilliseconds(duration: Duration, field: string): number {
  const fraction = (duration.nanos % 1e6) / 1e6;
  return durationMilliseconds(duration, field) + (fraction < 0 ? fraction + 1 : fraction);
}
