import { describe, expect, it } from "vitest";
import { facts, tablePages } from "./table.ts";

const plain = (_format: unknown, text: string) => text;
const red = (_format: unknown, text: string) => `\u001b[31m${text}\u001b[39m`;
const columns = [
  { title: "ID", text: (row: readonly string[]) => row[0] ?? "" },
  { title: "NAME", text: (row: readonly string[]) => row[1] ?? "" },
  { title: "STATE", text: () => "active" },
];

describe("a table", () => {
  it("has a heading, columns as wide as their texts, and nothing at the end of a line", () => {
    const draw = tablePages(columns, plain);
    expect(
      draw([
        ["1", "東京"],
        ["22", ""],
      ]),
    ).toBe("ID   NAME   STATE\n1    東京   active\n22          active\n");
  });

  it("goes on, page by page, without a second heading and without getting narrower", () => {
    const draw = tablePages(columns, plain);
    draw([["1", "a long name"]]);
    expect(draw([["2", "short"]])).toBe("2    short         active\n");
    expect(draw([["3", "a name that is longer"]])).toBe("3    a name that is longer   active\n");
  });

  it("cannot be made to paint, break or reorder by what a server says", () => {
    const draw = tablePages(columns, plain);
    expect(draw([["\u001b[2J1", "a\nb\u202ec"]])).toBe("ID   NAME   STATE\n1    a bc   active\n");
  });

  it("is as wide in colours as without", () => {
    const painted = tablePages([{ ...columns[0]!, style: () => "red" as const }, columns[1]!], red);
    expect(painted([["1", "x"]])).toBe(
      "\u001b[31mID\u001b[39m   \u001b[31mNAME\u001b[39m\n\u001b[31m1\u001b[39m    x\n",
    );
  });
});

it("facts stand below each other, a list takes a line for each, and what is empty is left out", () => {
  const rows = [
    ["Key", "1"],
    ["Scopes", ["a", "b\u001b[0m"]],
    ["Revoked", ""],
    ["Metadata", []],
  ] as const;
  expect(facts(rows, plain)).toBe("Key      1\nScopes   a\n         b\n");
});
