import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import { invalidArgument } from "../domain/keywarden-error.ts";

/** Bytes of the HMAC that a page token keeps: 128 bits. */
const TAG_SIZE = 16;

/** A page of a listing (AIP-158). */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/**
 * Bytes of a page's items as JSON, which is about as many as its message has: clients of gRPC take no more than 4 MiB
 * unless they are told to. A page ends where it would get larger, whatever was asked.
 */
const LARGEST_PAGE = 2 * 1024 * 1024;

/** How many of the items a page has room for; one at least. */
function fitting(items: readonly unknown[]): number {
  let length = 0;
  const tooMuch = items.findIndex((item, index) => {
    length += Buffer.byteLength(JSON.stringify(item));
    return length > LARGEST_PAGE && index > 0;
  });
  return tooMuch < 0 ? items.length : tooMuch;
}

/** Asks for a page: at most `size` items after what `token` names; the empty token names the start. */
export interface PageRequest {
  readonly size: number;
  readonly token: string;
}

const DEFAULT_PAGE_SIZE = 100;
const GREATEST_PAGE_SIZE = 1_000;

/**
 * Page tokens that only this authority can make and that fit only the query they were made for: base64url of
 * HMAC-SHA-256(key, query, 0, last id), cut to 128 bits, and the last id.
 */
export class PageTokens {
  readonly #key: KeyObject;

  constructor(key: KeyObject) {
    this.#key = key;
  }

  /**
   * One page of what `list` gives in the order of its ids. `query` is everything that decides what is listed.
   * Throws INVALID_ARGUMENT for a page token that was not made for this query, and for a negative size.
   */
  async page<Item extends { readonly id: string }>(
    query: readonly unknown[],
    { size, token }: PageRequest,
    list: (after: string, limit: number) => Promise<readonly Item[]>,
  ): Promise<Page<Item>> {
    if (size < 0)
      throw invalidArgument([
        { field: "page_size", description: `is 0 to ${GREATEST_PAGE_SIZE}, and this is negative` },
      ]);
    const limit = Math.min(size === 0 ? DEFAULT_PAGE_SIZE : size, GREATEST_PAGE_SIZE);
    const found = await list(token === "" ? "" : this.#open(query, token), limit + 1);
    const items = found.slice(0, Math.min(limit, fitting(found)));
    const last = items.at(-1);
    return {
      items,
      nextPageToken: found.length > items.length && last !== undefined ? this.#seal(query, last.id) : "",
    };
  }

  #seal(query: readonly unknown[], last: string): string {
    return Buffer.concat([this.#tag(query, last), Buffer.from(last)]).toString("base64url");
  }

  #open(query: readonly unknown[], token: string): string {
    const bytes = Buffer.from(token, "base64url");
    const last = bytes.subarray(TAG_SIZE).toString();
    if (bytes.length > TAG_SIZE && timingSafeEqual(bytes.subarray(0, TAG_SIZE), this.#tag(query, last)))
      return last;
    const description = "is not a next_page_token of this listing with these filters; start without one";
    throw invalidArgument([{ field: "page_token", description }], "INVALID_PAGE_TOKEN");
  }

  #tag(query: readonly unknown[], last: string): Buffer {
    return createHmac("sha256", this.#key)
      .update(`${JSON.stringify(query)}\0${last}`)
      .digest()
      .subarray(0, TAG_SIZE);
  }
}
