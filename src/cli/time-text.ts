import { type Duration, type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { formatDuration } from "../settings/duration.ts";

const STEPS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" });

/** "in 89 days", "3 hours ago", "now": rounded towards now, so that it never promises more than there is. */
export function relativeTime(time: number, now: number): string {
  const distance = time - now;
  for (const [unit, size] of STEPS) {
    const count = Math.trunc(distance / size);
    if (count !== 0) return relative.format(count, unit);
  }
  return "now";
}

/** "2027-01-31T09:00:00Z (in 89 days)"; `unset` for no time. */
export function timeText(time: Timestamp | undefined, now: number, unset: string): string {
  if (time === undefined) return unset;
  const milliseconds = timestampMs(time);
  const iso = new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, "Z");
  return `${iso} (${relativeTime(milliseconds, now)})`;
}

/** As it is written in options: "90d". */
export function durationText(duration: Duration | undefined): string {
  if (duration === undefined) return "0s";
  return formatDuration(Number(duration.seconds) * 1_000 + Math.trunc(duration.nanos / 1_000_000));
}
