import { create } from "@bufbuild/protobuf";
import { type Duration, durationFromMs, type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { InvalidArgumentError } from "commander";
import { z } from "zod";
import { type RateLimit, RateLimitSchema } from "../gen/keywarden/v1/rate_limit_pb.ts";
import { DURATION_SHAPE, parseDuration } from "../settings/duration.ts";

/** Reads an option that may be given several times. */
export function repeated<Value>(parse: (text: string) => Value) {
  return (text: string, previous: readonly Value[] | undefined): readonly Value[] => [
    ...(previous ?? []),
    parse(text),
  ];
}

export const asText = (text: string): string => text;

export function asDuration(text: string): Duration {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) throw new InvalidArgumentError(`Write ${DURATION_SHAPE}.`);
  return durationFromMs(milliseconds);
}

const instant = z.union([z.iso.datetime({ offset: true }), z.iso.date()]);

export function asInstant(text: string): Timestamp {
  if (!instant.safeParse(text).success) {
    throw new InvalidArgumentError(
      "Write a time such as 2027-01-31T09:00:00Z, or a day such as 2027-01-31 (UTC).",
    );
  }
  return timestampFromMs(Date.parse(text));
}

export function asWholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("Write a whole number.");
  return Number(text);
}

/** A quota and a window, such as `100/1m`; undefined if it is none. */
export function parseQuota(text: string): Pick<RateLimit, "quota" | "window"> | undefined {
  const [quota = "", window = "", ...more] = text.split("/");
  const milliseconds = parseDuration(window);
  if (!/^\d{1,9}$/.test(quota) || milliseconds === undefined || more.length > 0) return undefined;
  return { quota: Number(quota), window: durationFromMs(milliseconds) };
}

/** A rate limit such as `default=100/1m`. */
export function asRateLimit(text: string): RateLimit {
  const at = text.indexOf("=");
  const limit = parseQuota(text.slice(at + 1));
  if (at < 1 || limit === undefined) {
    throw new InvalidArgumentError("Write name=quota/window, such as default=100/1m for 100 a minute.");
  }
  return create(RateLimitSchema, { name: text.slice(0, at), ...limit });
}

export type Label = readonly [name: string, value: string];

/** A label such as `team=billing`. The value may be empty, and may have '=' in it. */
export function asLabel(text: string): Label {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Write name=value, such as team=billing.");
  return [text.slice(0, at), text.slice(at + 1)];
}

/** A whole word of a list, as `choices` has it for commander, but any case. */
export function asChoice<const Choice extends string>(choices: readonly Choice[]) {
  return (text: string): Choice => {
    const choice = choices.find((word) => word === text.toLowerCase());
    if (choice === undefined) throw new InvalidArgumentError(`Write one of ${choices.join(", ")}.`);
    return choice;
  };
}
