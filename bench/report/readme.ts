import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const README = join(import.meta.dirname, "../README.md");
const BEGIN = "<!-- results -->";
const END = "<!-- /results -->";

/** Puts the results where the last ones were. */
export function writeResults(results: string): void {
  writeFileSync(README, withResults(readFileSync(README, "utf8"), results));
}

/** The page with what is between its two markers replaced. Throws if they are not there. */
export function withResults(page: string, results: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new Error(`bench/README.md must have ${BEGIN} and ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${results.trim()}\n\n${page.slice(end)}`;
}
