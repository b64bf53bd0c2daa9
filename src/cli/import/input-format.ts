/** How a file of keys may be written; `auto`: as its name or its beginning says. */
export const INPUT_FORMATS = ["csv", "jsonl", "auto"] as const;
export type InputFormat = (typeof INPUT_FORMATS)[number];
