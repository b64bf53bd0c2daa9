import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { csvRows } from "./csv-rows.ts";
import { LONGEST_ROW, wholeLines } from "./input-text.ts";
import { jsonRows } from "./json-rows.ts";
import type { SourceRow } from "./source-row.ts";

const NAME = "keys.csv";

/** The bytes in pieces of these sizes, over and over. */
function inPieces(bytes: Buffer, sizes: readonly number[]): AsyncIterable<Buffer> {
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return Readable.from(pieces);
}

async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function readCsv(text: string | Buffer, columns: readonly string[], sizes: readonly number[] = [64 * 1024]) {
  const lines = wholeLines(inPieces(Buffer.from(text), sizes), NAME);
  return collected(csvRows(lines, { columns, onColumns: () => {}, name: NAME }));
}

function readJson(
  text: string | Buffer,
  columns: readonly string[],
  sizes: readonly number[] = [64 * 1024],
  onColumns: (names: readonly string[]) => void = () => {},
) {
  return collected(jsonRows(wholeLines(inPieces(Buffer.from(text), sizes), NAME), { columns, onColumns }));
}

const valuesOf = (rows: readonly SourceRow[]) =>
  rows.map((row) => ("values" in row ? row.values : { problem: row.problem, line: row.line }));

/** Text that is awkward in CSV. */
const field = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.constantFrom(
    "",
    '"',
    '""',
    ",",
    "a,b",
    "line\nbreak",
    "line\r\nbreak",
    " spaced ",
    "é",
    "🔑",
    "'",
    "\t;",
  ),
);
const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
/** What no reader of ours takes: a NUL makes text no text, and these say nothing. */
const isReadable = (text: string) => !text.includes("\0") && text !== "NULL" && text !== "\\N";

describe("CSV", () => {
  it("is read as it was written: quotes, separators and line breaks within fields, in pieces of any size", async () => {
    const rows = fc.array(
      fc.tuple(field, field, field).filter((row) => row.every(isReadable)),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.constantFrom("\n", "\r\n"),
        fc.boolean(),
        pieces,
        async (table, newline, mark, sizes) => {
          const lines = ["a,b,c", ...table.map((row) => row.map(quoted).join(","))];
          const text = `${mark ? "\ufeff" : ""}${lines.join(newline)}${newline}`;
          expect(valuesOf(await readCsv(text, ["a", "b", "c"], sizes))).toEqual(table);
        },
      ),
    );
  });

  it("may be separated by semicolons or tabs", async () => {
    expect(valuesOf(await readCsv("a;b\n1,5;2\n", ["a", "b"]))).toEqual([["1,5", "2"]]);
    expect(valuesOf(await readCsv("a\tb\n1\t2", ["b", "a"]))).toEqual([["2", "1"]]);
  });

  it("that a database wrote with tabs may have quotes anywhere", async () => {
    const text = 'a\tmeta\nsay "hi"\t{"plan":"pro"}\n';
    expect(valuesOf(await readCsv(text, ["a", "meta"]))).toEqual([['say "hi"', '{"plan":"pro"}']]);
  });

  it("that a database wrote with tabs may have a quote at the beginning of a field, and no row is lost by it", async () => {
    const text = 'a\tname\n1\t"Prod" key\n2\t"unbalanced\n3\tplain\n';
    expect(valuesOf(await readCsv(text, ["a", "name"]))).toEqual([
      ["1", '"Prod" key'],
      ["2", '"unbalanced'],
      ["3", "plain"],
    ]);
  });

  it("has values for the columns that are asked for, and none for those that are not there", async () => {
    expect(valuesOf(await readCsv("a,b\n1,2\n", ["b", "z"]))).toEqual([["2", undefined]]);
  });

  it("says nothing where a database wrote NULL", async () => {
    expect(valuesOf(await readCsv("a,b\n\\N,NULL\n", ["a", "b"]))).toEqual([[undefined, undefined]]);
  });

  it("with a row that has another number of fields is read on", async () => {
    expect(valuesOf(await readCsv("a,b\n1,2\n3\n4,5,6\n7,8\n", ["a"]))).toEqual([
      ["1"],
      { line: 3, problem: "the row has 1 fields, and the heading 2" },
      { line: 4, problem: "the row has 3 fields, and the heading 2" },
      ["7"],
    ]);
  });

  it("says on which line each row ends", async () => {
    const rows = await readCsv('a\n1\n\n"2\n2"\n3', ["a"]);
    expect(rows.map(({ line }) => line)).toEqual([2, 5, 6]);
  });

  it.each([
    ["without a heading", "", /^keys.csv is empty/],
    ["with a column twice", "a,a\n", /^keys.csv:1: the column a is there twice/],
    ["with a quote that is not closed", 'a\n1\n"secret', /^keys.csv:\d+: a quote is not closed$/],
    ["with a quote in a field's middle", 'a\nsec"ret\n', /^keys.csv:2: a quote stands where none can be/],
    ["with text behind a quoted field", 'a\n"sec"ret\n', /^keys.csv:2: a quote stands where none can be/],
    [
      "with an endless row",
      `a\n"${"x\n".repeat(LONGEST_ROW)}`,
      /^keys.csv:\d+: a row is longer than \d+ bytes/,
    ],
  ])("%s is refused, and nothing of it repeated", async (_what, text, message) => {
    const error: unknown = await readCsv(text, ["a"]).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "Failure", exit: "usage", message: expect.stringMatching(message) });
    expect(JSON.stringify(error)).not.toContain("sec");
  });
});

describe("JSON lines", () => {
  it("are read as they were written, in pieces of any size", async () => {
    const row = fc.record({ a: fc.jsonValue({ maxDepth: 2 }), "b.c": fc.string() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 6 }),
        fc.constantFrom("\n", "\r\n"),
        pieces,
        async (rows, newline, sizes) => {
          const text = rows.map((one) => JSON.stringify(one)).join(newline);
          const read = valuesOf(await readJson(text, ["a", "b.c"], sizes));
          expect(read).toEqual(rows.map((one) => JSON.parse(JSON.stringify([one.a, one["b.c"]]))));
        },
      ),
    );
  });

  it("give what is within objects by its path", async () => {
    const text = '{"consumer":{"id":"c1"}}\n{"consumer":null}\n{"consumer.id":"c3"}\n';
    expect(valuesOf(await readJson(text, ["consumer.id"]))).toEqual([["c1"], [undefined], ["c3"]]);
  });

  it("with a line that is no object are read on, and nothing of it is repeated", async () => {
    const rows = await readJson('{"a":1}\n{secret\n[1]\n\n"secret"\n{"a":2}', ["a"]);
    expect(valuesOf(rows)).toEqual([
      [1],
      { line: 2, problem: "the line is no JSON" },
      { line: 3, problem: "the line is no JSON object" },
      { line: 5, problem: "the line is no JSON object" },
      [2],
    ]);
  });

  it("say what columns they have before the first row is given, and of later ones before their rows are", async () => {
    const first = Array.from({ length: 1_000 }, (_, index) => `{"a":${index},"consumer":{"id":"c"}}`);
    const text = [...first, '{"a":0,"late":1,"consumer":null}', ""].join("\n");
    const told: (readonly string[])[] = [];
    const note = (names: readonly string[]) => told.push(names);
    const rows = await readJson(text, ["a", "consumer.id", "consumer.nope"], [1024], note);
    expect(rows).toHaveLength(1_001);
    expect(told).toEqual([
      ["a", "consumer.id"],
      ["late", "consumer.nope"],
    ]);
    const refusing = readJson(text, ["a"], [1024], () => {
      throw new Error("none of it");
    });
    await expect(refusing).rejects.toThrow("none of it");
  });

  it("take nothing from an object's prototype", async () => {
    expect(valuesOf(await readJson("{}\n", ["constructor", "__proto__", "a.toString"]))).toEqual([
      [undefined, undefined, undefined],
    ]);
  });
});

describe("text that is no UTF-8", () => {
  const latin1 = Buffer.concat([Buffer.from("a\nok\n"), Buffer.from([0xe9, 0x0a])]);
  it.each([
    ["Latin-1", latin1, 3],
    ["UTF-16 with a mark", Buffer.from("\ufeffa\n", "utf16le"), 1],
    ["UTF-16 without one", Buffer.from("a\nb\n", "utf16le"), 1],
  ])("such as %s is refused, with the line", async (_name, bytes, line) => {
    const read = collected(wholeLines(inPieces(bytes, [3]), NAME));
    await expect(read).rejects.toMatchObject({
      exit: "usage",
      message: `keys.csv:${line} is not UTF-8 text`,
    });
  });

  it("never splits a character in two: any text comes back whole", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), pieces, async (text, sizes) => {
        fc.pre(isReadable(text) && !text.startsWith("\ufeff") && text.isWellFormed());
        const parts = await collected(wholeLines(inPieces(Buffer.from(text), sizes), NAME));
        expect(Buffer.concat(parts).toString()).toBe(text);
      }),
    );
  });

  it("with a line without an end is refused before it fills the memory", async () => {
    const endless = Readable.from({
      async *[Symbol.asyncIterator]() {
        for (;;) yield Buffer.alloc(64 * 1024, "x");
      },
    });
    await expect(collected(wholeLines(endless, NAME))).rejects.toMatchObject({
      message: expect.stringMatching(/^keys.csv:1: a line is longer than/),
    });
  });
});
