import { isUtf8 } from "node:buffer";
import {
  type DescField,
  type DescMessage,
  fromJsonString,
  type MessageShape,
  ScalarType,
} from "@bufbuild/protobuf";
import { type KeywardenError, malformedRequest } from "../../domain/keywarden-error.ts";
import { quote } from "../../domain/quote.ts";

/**
 * A message from its JSON, strictly: unknown names, names that are there twice and values that do not fit are refused.
 * Throws KeywardenError INVALID_ARGUMENT, MALFORMED_REQUEST, that names the field if it can be told, and no value.
 */
export function decodeJson<Schema extends DescMessage>(
  schema: Schema,
  bytes: Uint8Array,
): MessageShape<Schema> {
  if (bytes.length === 0) throw malformedRequest("the body is empty; a JSON object goes here");
  if (!isUtf8(bytes)) throw malformedRequest("the body is not in UTF-8");
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  try {
    return fromJsonString(schema, text, { ignoreUnknownFields: false });
  } catch (error) {
    throw refusalOf(error);
  }
}

/** What protobuf-es and the JSON parser say may hold a part of the body: only what can't is taken from it. */
function refusalOf(error: unknown): KeywardenError {
  const { message, cause } = error instanceof Error ? error : new Error("unreadable");
  if (cause instanceof SyntaxError) {
    const [, position] = /at position (\d+)/.exec(cause.message) ?? [];
    return malformedRequest(
      `the body is no JSON${position === undefined ? "" : `, from character ${position} on`}`,
    );
  }
  const field = fieldOf(cause);
  if (field !== undefined) {
    const violation = { field: field.name, description: descriptionOf(field, cause) };
    return malformedRequest(`${violation.field}: ${violation.description}`, [violation]);
  }
  const [, unknown] = /key "(.*)" is unknown$/s.exec(message) ?? [];
  if (unknown !== undefined)
    return malformedRequest(`the body has a name that is not known here: ${quote(unknown)}`);
  if (/duplicate/.test(message)) return malformedRequest("the body has a name twice in one object");
  return malformedRequest("the body is no JSON object of this request: see /openapi.json");
}

/** The field that protobuf-es could not read. */
function fieldOf(cause: unknown): DescField | undefined {
  if (!(cause instanceof Error && "field" in cause && typeof cause.field === "function")) return undefined;
  const field: DescField = cause.field();
  return field.kind === "field" ? field : undefined;
}

const SHAPES: Readonly<Partial<Record<ScalarType, string>>> = {
  [ScalarType.STRING]: "is a text",
  [ScalarType.BOOL]: "is true or false",
  [ScalarType.UINT32]: "is a whole number from 0 to 4,294,967,295",
};

function descriptionOf(field: DescField, cause: unknown): string {
  if (cause instanceof Error && cause.message === "set multiple times") return "is there twice";
  if (field.fieldKind === "list") return "is a list of JSON objects";
  return (
    (field.scalar !== undefined ? SHAPES[field.scalar] : undefined) ?? "has another shape than this field"
  );
}
