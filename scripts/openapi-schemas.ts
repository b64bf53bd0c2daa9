import { execFileSync } from "node:child_process";
import {
  createFileRegistry,
  type DescEnum,
  type DescField,
  type DescMessage,
  fromBinary,
  ScalarType,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { getComments } from "@bufbuild/protoplugin";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The contract with its comments, which the code that is made from it does not have. */
const registry = createFileRegistry(
  fromBinary(
    FileDescriptorSetSchema,
    execFileSync("buf", ["build", "--output", "-"], { maxBuffer: 1 << 26 }),
  ),
);

/** What the comments say and descriptors can't, by message and field. */
const BOUNDS: Readonly<Record<string, JsonSchema>> = {
  "BatchVerifyKeysRequest.requests": { minItems: 1, maxItems: 100 },
};

/** What a request can't be without. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = { BatchVerifyKeysRequest: ["requests"] };

/** Named as the message, under `components/schemas`. */
export function reference(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

/**
 * The messages of these types, and all that they hold, in protobuf's JSON mapping. `request`: as clients may write them,
 * with null for what they leave out and numbers as texts; else as the server does, with what has its default value.
 */
export function schemasOf(
  typeNames: readonly string[],
  direction: "request" | "response",
): Readonly<Record<string, JsonSchema>> {
  const schemas: Record<string, JsonSchema> = {};
  const add = (desc: DescMessage | DescEnum): JsonSchema => {
    const known = WELL_KNOWN[desc.typeName];
    if (known !== undefined) return known;
    if (schemas[desc.name] === undefined) {
      schemas[desc.name] = {};
      schemas[desc.name] = desc.kind === "enum" ? enumSchema(desc) : messageSchema(desc, direction, add);
    }
    return reference(desc.name);
  };
  for (const typeName of typeNames) {
    const desc = registry.getMessage(typeName);
    if (desc === undefined) throw new Error(`there is no message ${typeName}`);
    add(desc);
  }
  return schemas;
}

/** Those with a JSON of their own. */
const WELL_KNOWN: Readonly<Record<string, JsonSchema>> = {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Duration": { type: "string", pattern: "^-?\\d+(\\.\\d{1,9})?s$" },
  "google.protobuf.Any": {
    type: "object",
    properties: { "@type": { type: "string" } },
    required: ["@type"],
    additionalProperties: true,
  },
};

type Add = (desc: DescMessage | DescEnum) => JsonSchema;

function enumSchema(desc: DescEnum): JsonSchema {
  const meanings = desc.values.map((value) => `- \`${value.name}\`: ${commentOf(value)}`);
  return {
    type: "string",
    description: `${commentOf(desc)}\n\n${meanings.join("\n")}`,
    enum: desc.values.map(({ name }) => name),
  };
}

function messageSchema(desc: DescMessage, direction: "request" | "response", add: Add): JsonSchema {
  const properties = Object.fromEntries(
    desc.fields.map((field) => {
      const schema = fieldSchema(field, add);
      const bounds = BOUNDS[`${desc.name}.${field.name}`];
      const said = { ...schema, ...bounds, description: commentOf(field) };
      return [field.jsonName, direction === "request" ? asWritten(said) : said];
    }),
  );
  const description = commentOf(desc);
  if (direction === "request") {
    const needed = REQUIRED[desc.name];
    return {
      type: "object",
      description,
      properties,
      ...(needed && { required: needed }),
      additionalProperties: false,
    };
  }
  const required = desc.fields.filter(isAlwaysThere).map(({ jsonName }) => jsonName);
  const choices = desc.oneofs.filter(({ fields }) => fields.length > 1);
  return {
    type: "object",
    description,
    properties,
    ...(required.length > 0 && { required }),
    ...(choices.length > 0 && {
      oneOf: choices.flatMap(({ fields }) => fields.map(({ jsonName }) => ({ required: [jsonName] }))),
    }),
  };
}

/** Messages, and what may be unset, are left out where they are not set. */
function isAlwaysThere(field: DescField): boolean {
  if (field.fieldKind === "list" || field.fieldKind === "map") return true;
  return field.fieldKind !== "message" && field.oneof === undefined && !field.proto.proto3Optional;
}

function fieldSchema(field: DescField, add: Add): JsonSchema {
  switch (field.fieldKind) {
    case "list":
      return { type: "array", items: valueSchema(field, add) };
    case "map":
      return { type: "object", additionalProperties: valueSchema(field, add) };
    default:
      return valueSchema(field, add);
  }
}

function valueSchema(field: Pick<DescField, "scalar" | "message" | "enum">, add: Add): JsonSchema {
  const desc = field.message ?? field.enum;
  if (desc !== undefined) return add(desc);
  const schema = SCALARS[field.scalar ?? ScalarType.BYTES];
  if (schema === undefined) throw new Error(`no schema for the scalar type ${field.scalar}`);
  return schema;
}

const SCALARS: Readonly<Partial<Record<ScalarType, JsonSchema>>> = {
  [ScalarType.STRING]: { type: "string" },
  [ScalarType.BOOL]: { type: "boolean" },
  [ScalarType.INT32]: { type: "integer", format: "int32" },
  [ScalarType.UINT32]: { type: "integer", minimum: 0, maximum: 4_294_967_295 },
  [ScalarType.INT64]: { type: "string", format: "int64", pattern: "^-?\\d+$" },
};

/** Whatever has a type may also be null, and a number a text. */
function asWritten(schema: JsonSchema): JsonSchema {
  const { type } = schema;
  if (type === "array" || typeof type !== "string") return schema;
  if (type !== "integer") return { ...schema, type: [type, "null"] };
  const { description, ...number } = schema;
  return { description, oneOf: [number, { type: "string", pattern: "^\\d{1,9}$" }, { type: "null" }] };
}

/** What stands before it in its file, as one paragraph. */
function commentOf(desc: Parameters<typeof getComments>[0]): string {
  return (getComments(desc).leading ?? "").replace(/\s+/g, " ").trim();
}
