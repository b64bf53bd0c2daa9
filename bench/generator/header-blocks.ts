/** Entries of HPACK's static table (RFC 7541 appendix A) that a request can name. */
const METHOD_POST = 3;
const SCHEME_HTTP = 6;
const NAMES: Readonly<Record<string, number>> = {
  ":authority": 1,
  ":path": 4,
  "content-type": 31,
  authorization: 23,
};
/** Where the dynamic table begins: its newest entry. */
const FIRST_DYNAMIC = 62;

/** The same headers for the first request of a connection, and for all that follow. */
export interface HeaderBlocks {
  readonly first: Buffer;
  readonly repeated: Buffer;
}

/**
 * The first block puts every header into the peer's table, the others name them there, as any client does. Values of
 * up to 126 bytes, as a length of one byte holds (RFC 7541 §5.1); all together must fit into the table's 4,096.
 */
export function headerBlocks(headers: ReadonlyMap<string, string>): HeaderBlocks {
  const indexed = [0x80 | METHOD_POST, 0x80 | SCHEME_HTTP];
  const literals = [...headers].flatMap(([name, value]) => {
    const index = NAMES[name];
    return [...(index === undefined ? [0x40, ...text(name)] : [0x40 | index]), ...text(value)];
  });
  const references = [...headers].map((_, place) => 0x80 | (FIRST_DYNAMIC + headers.size - 1 - place));
  return {
    first: Buffer.from([...indexed, ...literals]),
    repeated: Buffer.from([...indexed, ...references]),
  };
}

/** A string literal without Huffman code. */
function text(value: string): readonly number[] {
  const bytes = Buffer.from(value, "latin1");
  if (bytes.length > 126) throw new RangeError(`a header of ${bytes.length} bytes is too long`);
  return [bytes.length, ...bytes];
}
