import { isUtf8 } from "node:buffer";
import { usage } from "../failure.ts";

/** Bytes of the longest line, or of the longest row of several lines. No key is near it. */
export const LONGEST_ROW = 1024 * 1024;

const NEWLINE = 0x0a;
const UTF8_BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const UTF16_BOMS = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];

/**
 * The input in parts that end with a line, without a byte order mark. Each is valid UTF-8, and no line is longer than
 * LONGEST_ROW.
 * @throws Failure that says on which line it is something else.
 */
export async function* wholeLines(
  input: AsyncIterable<string | Buffer>,
  name: string,
): AsyncGenerator<Buffer> {
  let line = 1;
  let isFirst = true;
  let rest = Buffer.alloc(0);
  const checked = (part: Buffer): Buffer => {
    const text = isFirst ? withoutMark(part, name) : part;
    isFirst = false;
    refuseOtherEncodings(text, name, line);
    line += count(part, NEWLINE);
    return text;
  };
  for await (const chunk of input) {
    const bytes = Buffer.concat([rest, typeof chunk === "string" ? Buffer.from(chunk) : chunk]);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    rest = bytes.subarray(end);
    if (end > 0) yield checked(bytes.subarray(0, end));
    if (rest.length > LONGEST_ROW) throw usage(`${name}:${line}: a line is longer than ${LONGEST_ROW} bytes`);
  }
  if (rest.length > 0) yield checked(rest);
}

function withoutMark(part: Buffer, name: string): Buffer {
  if (UTF16_BOMS.some((mark) => part.subarray(0, mark.length).equals(mark))) throw otherEncoding(name, 1);
  return part.subarray(0, UTF8_BOM.length).equals(UTF8_BOM) ? part.subarray(UTF8_BOM.length) : part;
}

function refuseOtherEncodings(text: Buffer, name: string, line: number): void {
  if (isUtf8(text) && !text.includes(0)) return;
  // To find the line, and only now: each on its own.
  let at = line;
  for (let start = 0; start < text.length; at++) {
    const newline = text.indexOf(NEWLINE, start);
    const end = newline < 0 ? text.length : newline + 1;
    const one = text.subarray(start, end);
    if (!isUtf8(one) || one.includes(0)) throw otherEncoding(name, at);
    start = end;
  }
}

function otherEncoding(name: string, line: number) {
  return usage(
    `${name}:${line} is not UTF-8 text`,
    "Convert it first, such as: iconv -f UTF-16 -t UTF-8 FILE, or -f WINDOWS-1252.",
  );
}

function count(bytes: Buffer, byte: number): number {
  let found = 0;
  for (let at = bytes.indexOf(byte); at >= 0; at = bytes.indexOf(byte, at + 1)) found++;
  return found;
}
