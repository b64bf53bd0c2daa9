import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import type { QueryUsageResponse, UsageCount } from "../gen/keywarden/v1/usage_pb.ts";
import { Reason, ReasonSchema } from "../gen/keywarden/v1/verify_service_pb.ts";
import type { Paint } from "./paint.ts";
import { shorten } from "./safe-text.ts";
import { type Column, tablePages } from "./table.ts";

/** Milliseconds. */
const LENGTHS = { hour: 3_600_000, day: 86_400_000 } as const;

/** With more lines than this, those in which nothing was counted are left out. */
const MOST_EMPTY_LINES = 100;

/** Between two columns. */
const GAP = 3;

interface Line {
  readonly name: string;
  readonly allowed: number;
  readonly denied: number;
  /** Of the denied: why, and how many. */
  readonly why: string;
}

interface Screen {
  readonly columns: number;
  readonly paint: Paint;
}

/** Of at least one bucket. A line for each hour or day from the first in which something was counted, each with a bar, and their sum. */
export function usageTable(response: QueryUsageResponse, by: "hour" | "day", screen: Screen): string {
  const lines = [...linesOf(response, by), lineOf("total", response.totals)];
  const greatest = Math.max(...lines.slice(0, -1).map(({ allowed, denied }) => allowed + denied));
  const numbers = numberTexts(lines);
  const room = screen.columns - (by === "hour" ? 16 : 10) - numbers.width - 3 * GAP;
  const bar = room < 32 ? 0 : Math.min(24, Math.floor(room / 3));
  const rest = bar === 0 ? room : room - bar - GAP;
  const columns: readonly Column<Line>[] = [
    { title: by === "hour" ? "HOUR (UTC)" : "DAY (UTC)", text: ({ name }) => name },
    { title: "ALLOWED".padStart(numbers.allowed), text: ({ allowed }) => numbers.text(allowed, "allowed") },
    {
      title: "DENIED".padStart(numbers.denied),
      text: ({ denied }) => numbers.text(denied, "denied"),
      style: (text) => (text.trim() === "0" ? "none" : "yellow"),
    },
    ...(bar === 0 ? [] : [{ title: "", text: barOf(greatest, bar), style: () => "green" as const }]),
    { title: "WHY DENIED", text: ({ why }) => shorten(why, Math.max(rest, 12)) },
  ];
  return tablePages(columns, screen.paint)(lines);
}

function linesOf({ buckets, untilTime }: QueryUsageResponse, by: "hour" | "day"): readonly Line[] {
  const length = LENGTHS[by];
  const counted = new Map(buckets.map(({ startTime, counts }) => [momentOf(startTime), counts]));
  const [first = 0] = counted.keys();
  const count = (momentOf(untilTime) - first) / length;
  const starts =
    count > MOST_EMPTY_LINES
      ? [...counted.keys()]
      : Array.from({ length: count }, (_, index) => first + index * length);
  return starts.map((start) => lineOf(nameOf(start, by), counted.get(start) ?? []));
}

function lineOf(name: string, counts: readonly UsageCount[]): Line {
  const denied = counts
    .filter(({ reason }) => reason !== Reason.ALLOWED)
    .toSorted((a, b) => Number(b.count - a.count));
  return {
    name,
    allowed: sumOf(counts.filter(({ reason }) => reason === Reason.ALLOWED)),
    denied: sumOf(denied),
    why: denied.map(({ reason, count }) => `${reasonText(reason)} ${count}`).join(", "),
  };
}

function sumOf(counts: readonly UsageCount[]): number {
  return counts.reduce((sum, { count }) => sum + Number(count), 0);
}

function reasonText(reason: Reason): string {
  return ReasonSchema.value[reason]?.localName ?? `reason ${reason}`;
}

function nameOf(start: number, by: "hour" | "day"): string {
  const iso = new Date(start).toISOString();
  return by === "day" ? iso.slice(0, 10) : `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;
}

function momentOf(time: Timestamp | undefined): number {
  return time === undefined ? 0 : timestampMs(time);
}

const grouped = new Intl.NumberFormat("en");

/** Numbers of a column as texts of the same width, the last digits one below the other. */
function numberTexts(lines: readonly Line[]) {
  const widthOf = (field: "allowed" | "denied") =>
    Math.max(field.length, ...lines.map((line) => grouped.format(line[field]).length));
  const [allowed, denied] = [widthOf("allowed"), widthOf("denied")];
  const text = (value: number, field: "allowed" | "denied") =>
    grouped.format(value).padStart(field === "allowed" ? allowed : denied);
  return { allowed, denied, width: allowed + denied, text };
}

/** Eighths of a character. */
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A bar as long as the line's part of the greatest; the sum has none. */
function barOf(greatest: number, width: number): (line: Line) => string {
  return ({ name, allowed, denied }) => {
    if (name === "total" || greatest === 0) return "";
    const count = allowed + denied;
    const eighths = count === 0 ? 0 : Math.max(1, Math.round((count / greatest) * width * 8));
    return `${"█".repeat(Math.floor(eighths / 8))}${EIGHTHS[eighths % 8] ?? ""}`;
  };
}
