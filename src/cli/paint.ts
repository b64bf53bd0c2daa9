import { styleText } from "node:util";
import type { Output } from "./shell.ts";

type Format = Parameters<typeof styleText>[0];

/** Colours text for one stream, or leaves it as it is. */
export type Paint = (format: Format, text: string) => string;

/** Colours for a terminal only; NO_COLOR and FORCE_COLOR are heeded by styleText. */
export function createPaint(stream: Output, noColor: boolean): Paint {
  return noColor ? (_format, text) => text : (format, text) => styleText(format, text, { stream });
}
