import { malformedRequest } from "../../domain/keywarden-error.ts";

/**
 * The parameters of a form (application/x-www-form-urlencoded), strictly: RFC 6749 section 3.1 lets none be there twice.
 * Throws KeywardenError INVALID_ARGUMENT, MALFORMED_REQUEST, which repeats nothing of the form.
 */
export function parseForm(bytes: Uint8Array): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of latin1(bytes).split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decodeFormText(equals < 0 ? pair : pair.slice(0, equals));
    const value = decodeFormText(equals < 0 ? "" : pair.slice(equals + 1));
    if (name === undefined || value === undefined) {
      throw malformedRequest("the form has a broken percent-escape, or bytes that have to be escaped");
    }
    if (parameters.has(name)) throw malformedRequest("the form has a parameter twice");
    parameters.set(name, value);
  }
  return parameters;
}

/** Undefined: an escape is broken, is no UTF-8, or is missing. */
export function decodeFormText(text: string): string | undefined {
  if (/[^\x20-\x7e]/.test(text)) return undefined;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
