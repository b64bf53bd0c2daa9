import { expect, it } from "vitest";
import { withResults } from "./readme.ts";
import { costSection, goalText, tableText } from "./section.ts";

it("says of each goal whether it was reached", () => {
  expect(goalText({ atMost: 1.1 }, 1.1)).toBe("≤ 1.1 ✓");
  expect(goalText({ atMost: 1.1 }, 1.11)).toBe("≤ 1.1 ✗");
  expect(goalText({ atLeast: 2 }, 1.9)).toBe("≥ 2 ✗");
});

it("shows each subject's cost, what a core can do, and its ratio within the rounds", () => {
  const costs = new Map([
    ["base", [10, 100, 50]],
    ["other", [20, 100, 75]],
  ]);
  const rows = [{ name: "base" }, { name: "other", goal: { atMost: 1.5 } }, { name: "not measured" }];
  expect(costSection("Costs", costs, { base: "base", rows }).rows).toEqual([
    ["base", "50.0", "20,000", "1", ""],
    ["other", "75.0", "13,333", "1.50 (1.00–2.00)", "≤ 1.5 ✓"],
  ]);
});

it("lines up a table's columns", () => {
  expect(tableText({ title: "", head: ["", "µs"], rows: [["VerifyKey", "48.1"]] })).toBe(
    ["|           | µs   |", "| --------- | ---- |", "| VerifyKey | 48.1 |"].join("\n"),
  );
});

it("replaces what stands between the page's two markers, and nothing else", () => {
  const page = "before\n<!-- results -->\nold\n<!-- /results -->\nafter\n";
  const once = withResults(page, "new");
  expect(once).toBe("before\n<!-- results -->\n\nnew\n\n<!-- /results -->\nafter\n");
  expect(withResults(once, "new")).toBe(once);
  expect(() => withResults("no markers", "new")).toThrow("bench/README.md");
});
