/** What reading a text gave: its value, or what is wrong with it, in words for whoever wrote the text. */
export type Parsed<Value> = { readonly value: Value } | { readonly problem: string };
