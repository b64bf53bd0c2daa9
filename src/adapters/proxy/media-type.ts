const LONGEST_ACCEPT = 1_000;

/** True if the client would rather have text/plain than JSON, by its Accept header (RFC 9110 section 12.5.1). */
export function prefersPlainText(accept: string): boolean {
  if (!/text\//i.test(accept)) return false;
  let plain = 0;
  let json = 0;
  for (const range of accept.slice(0, LONGEST_ACCEPT).split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const quality = qualityIn(parameters);
    if (PLAIN.has(type)) plain = Math.max(plain, quality);
    if (JSON_TYPES.has(type)) json = Math.max(json, quality);
  }
  return plain > json;
}

const PLAIN = new Set(["text/plain", "text/*", "*/*"]);
const JSON_TYPES = new Set(["application/problem+json", "application/json", "application/*", "*/*"]);

/** 0 to 1; what can't be read is 0. */
function qualityIn(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith("q="));
  if (given === undefined) return 1;
  return /^q=(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(given) ? Number(given.slice(2)) : 0;
}
