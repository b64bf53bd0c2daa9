import type { Costs } from "../measuring/rounds.ts";
import { ratios, type Spread, spreadOf } from "../measuring/statistics.ts";

/** One experiment's result, as a table. */
export interface Section {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What a ratio should not exceed, or should reach. */
export interface Goal {
  readonly atMost?: number;
  readonly atLeast?: number;
}

export interface CostRow {
  readonly name: string;
  /** Decisions in one request; 1 if not given. */
  readonly items?: number;
  /** For the ratio to the base. */
  readonly goal?: Goal;
}

/**
 * A table of CPU costs with their ratios to that of `base`. Subjects that were not measured are left out.
 * `others`: further bases, each a column.
 */
export function costSection(
  title: string,
  costs: Costs,
  { rows, base, others = [] }: { rows: readonly CostRow[]; base: string; others?: readonly string[] },
): Section {
  const bases = [base, ...others].filter((name) => costs.has(name));
  return {
    title,
    head: ["", "µs CPU", "req/s a core", ...bases.map((name) => `× ${name}`), "goal"],
    rows: rows.flatMap(({ name, items = 1, goal }) => {
      const values = costs.get(name)?.map((value) => value / items);
      if (values === undefined) return [];
      const { median } = spreadOf(values);
      const perCore = Math.round(1e6 / median).toLocaleString("en");
      const toBases = bases.map((other) => spreadOf(ratios(values, costs.get(other) ?? [])));
      const [toBase] = toBases;
      const isBase = name === base;
      const columns = toBases.map((spread, index) => (name === bases[index] ? "1" : spreadText(spread)));
      const verdict =
        goal === undefined || toBase === undefined || isBase ? "" : goalText(goal, toBase.median);
      return [[name, median.toFixed(1), perCore, ...columns, verdict]];
    }),
  };
}

/** `1.05 (1.01–1.12)`: the median, and between what the rounds were. */
export function spreadText({ median, least, greatest }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${least.toFixed(digits)}–${greatest.toFixed(digits)})`;
}

/** `≤ 1.1 ✓`. */
export function goalText({ atMost, atLeast }: Goal, value: number): string {
  const isMet = (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
  const bounds = [atMost === undefined ? "" : `≤ ${atMost}`, atLeast === undefined ? "" : `≥ ${atLeast}`];
  return `${bounds.filter(Boolean).join(", ")} ${isMet ? "✓" : "✗"}`;
}

/** A Markdown table whose columns also stand one under the other on a terminal. */
export function tableText({ head, rows }: Section): string {
  const widths = head.map((name, column) =>
    Math.max(3, name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}
