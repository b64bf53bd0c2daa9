import CliTable from "cli-table3";
import type { Paint } from "./paint.ts";
import { safeText } from "./safe-text.ts";

const BORDERLESS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "   ",
};

const COMPACT = { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true };

type Cells = readonly (readonly string[])[];

/** Lays cells out in columns, each as wide as its widest text but at least as `least` says. */
function layOut(cells: Cells, least: readonly number[] = []): { text: string; widths: readonly number[] } {
  const draw = (colWidths: readonly number[]) => {
    const table = new CliTable({ chars: BORDERLESS, style: COMPACT, colWidths: [...colWidths] });
    for (const row of cells) table.push([...row]);
    return { text: table.toString(), widths: table.options.colWidths.map((width) => width ?? 0) };
  };
  const natural = draw([]);
  const widths = natural.widths.map((width, column) => Math.max(width, least[column] ?? 0));
  const { text } = draw(widths);
  return { text: text.replace(/ +$/gm, "").concat("\n"), widths };
}

export interface Column<Row> {
  readonly title: string;
  text(row: Row): string;
  /** How to colour a cell by what it says. */
  style?(text: string): Parameters<Paint>[0];
}

/**
 * Draws a table page by page: the first call has the heading. A column gets wider from page to page but never
 * narrower, so nothing is cut off and no more than a page is in memory.
 */
export function tablePages<Row>(
  columns: readonly Column<Row>[],
  paint: Paint,
): (rows: readonly Row[]) => string {
  let heading: Cells = [columns.map(({ title }) => paint("bold", title))];
  let widths: readonly number[] = [];
  return (rows) => {
    const body = rows.map((row) =>
      columns.map((column) => {
        const text = safeText(column.text(row));
        return column.style === undefined ? text : paint(column.style(text), text);
      }),
    );
    const page = layOut([...heading, ...body], widths);
    heading = [];
    widths = page.widths;
    return page.text;
  };
}

export type Fact = readonly [name: string, value: string | readonly string[]];

/** Names with their values, one below the other; a list takes a line for each text. Empty values are left out. */
export function facts(rows: readonly Fact[], paint: Paint): string {
  const cells = rows.flatMap(([name, value]) => {
    const text = [value].flat().map(safeText).join("\n");
    return text === "" ? [] : [[paint("bold", name), text]];
  });
  return layOut(cells).text;
}
