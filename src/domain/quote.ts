import { withoutTokens } from "./without-tokens.ts";

const LONGEST = 60;
/** Of a text that is cut all the same: what is behind it need not be read. */
const LOOKED_AT = 1_000;

/** A text from outside, made fit for a message: quoted, cut, without tokens, and with nothing in it that does not show. */
export function quote(text: string): string {
  const shown = withoutTokens(text.slice(0, LOOKED_AT));
  const cut = shown.length > LONGEST || text.length > LOOKED_AT ? `${shown.slice(0, LONGEST)}…` : shown;
  return JSON.stringify(cut).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (mark) => {
    return `\\u{${mark.codePointAt(0)?.toString(16)}}`;
  });
}
