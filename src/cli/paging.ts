import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { responseJson, type Session } from "./client-command.ts";
import { asWholeNumber } from "./option-values.ts";
import { safeText } from "./safe-text.ts";
import { type Column, tablePages } from "./table.ts";

export interface PagingOptions {
  readonly pageSize?: number;
  readonly pageToken?: string;
  readonly all?: boolean;
  readonly quiet?: boolean;
}

export function addPaging(command: Command): void {
  command
    .option(
      "--page-size <count>",
      "at most how many a page has, up to 1000; the server's choice is 100",
      asWholeNumber,
    )
    .option("--page-token <token>", "the page to show, as the page before names it")
    .option("--all", "every page; with --json a line for each")
    .option("-q, --quiet", "only the ids, one a line");
}

interface Listing<Schema extends DescMessage, Row> {
  readonly schema: Schema;
  readonly columns: readonly Column<Row>[];
  /** What is said if there are no rows. */
  readonly empty: string;
  page(place: {
    pageSize: number;
    pageToken: string;
  }): Promise<MessageShape<Schema> & { nextPageToken: string }>;
  rows(response: MessageShape<Schema>): readonly Row[];
  id(row: Row): string;
}

/** Prints one page, or page after page; no more than one is kept in memory. */
export async function printPages<Schema extends DescMessage, Row>(
  session: Session,
  { pageSize = 0, pageToken: first = "", all = false, quiet = false }: PagingOptions,
  { schema, columns, empty, page, rows, id }: Listing<Schema, Row>,
): Promise<void> {
  const draw = tablePages(columns, session.paint);
  let pageToken = first;
  let count = 0;
  for (let more = true; more; more = all && pageToken !== "") {
    const response = await page({ pageSize, pageToken });
    const found = rows(response);
    count += found.length;
    if (session.settings.json) await session.print(responseJson(schema, response, all ? 0 : 2));
    else if (quiet) await session.print(found.map((row) => `${safeText(id(row))}\n`).join(""));
    else if (found.length > 0) await session.print(draw(found));
    pageToken = response.nextPageToken;
  }
  if (session.settings.json) return;
  if (count === 0) await session.tell(`${empty}\n`);
  if (pageToken !== "") await session.tell(`There are more: --all, or --page-token ${safeText(pageToken)}\n`);
}
