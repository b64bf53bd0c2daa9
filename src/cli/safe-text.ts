import { stripVTControlCharacters } from "node:util";

/**
 * Text from elsewhere, safe to print on a terminal: no escape sequence, no control character, and no invisible
 * mark that reorders what is read (Unicode TR 36 section 3; CVE-2021-42574). White space becomes a plain space.
 */
export function safeText(text: string): string {
  return stripVTControlCharacters(text.toWellFormed())
    .replace(/[\t\n\v\f\r\u0085\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/[\p{Cc}\p{Cf}\p{Co}]/gu, "");
}

/** JSON with the same characters escaped: the value stays the same. `json` may be indented. */
export function safeJson(json: string): string {
  return json.replace(/[\u007f-\u009f\p{Cf}\p{Co}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, unit) => character.charCodeAt(unit))
      .map((code) => `\\u${code.toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/** At most `width` characters, for a column that must not push the others off the screen. */
export function shorten(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join("")}…`;
}
