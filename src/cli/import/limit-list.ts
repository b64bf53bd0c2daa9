import type { Parsed } from "../../domain/parsed.ts";
import { isRecord, parseMilliseconds, parseSwitch, parseWhole, structured, textOf } from "./row-values.ts";

/** A limit as a list of them has it. */
export interface ListedLimit {
  readonly name: string;
  readonly quota: number;
  /** Milliseconds. */
  readonly window: number;
}

const PROBLEM = { problem: "is a JSON list of objects with a name, a limit and a duration in milliseconds" };

/** Limits as Unkey lists them. Those that only count where a caller names them (autoApply: false) are left out. */
export function parseLimits(value: unknown): Parsed<readonly ListedLimit[]> {
  const list = structured(value);
  if (!Array.isArray(list)) return PROBLEM;
  const limits: ListedLimit[] = [];
  for (const one of list) {
    const parsed = parseLimit(one);
    if ("problem" in parsed) return parsed;
    limits.push(...parsed.value);
  }
  return { value: limits };
}

function parseLimit(value: unknown): Parsed<readonly ListedLimit[]> {
  if (!isRecord(value)) return PROBLEM;
  const [quota, window] = [parseWhole(value["limit"]), parseMilliseconds(value["duration"])];
  const applies = parseSwitch(value["autoApply"] ?? true);
  if ("problem" in quota || "problem" in window || "problem" in applies) return PROBLEM;
  const limit = { name: nameOf(textOf(value["name"] ?? "")), quota: quota.value, window: window.value };
  return { value: applies.value ? [limit] : [] };
}

/** As a limit's name can be here: `API requests` is `api-requests`. */
function nameOf(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "");
  return name.slice(0, 32) || "imported";
}
