import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { Step } from "./wire-records.ts";

/** What can be wrong with what stands at a place depends on what kind it is of. */
type PlaceKind =
  | "string"
  | "bytes"
  | "bool"
  | "int32"
  | "uint32"
  | "int64"
  | "enum"
  | "timestamp"
  | "duration"
  | "message"
  | "list"
  | "map";

/** A place in a request where something bad can stand: a field, an item of a list, a key or value of a map. */
export interface FieldPlace {
  /** As violations name it, such as `key.rate_limits[0].window`. */
  readonly path: string;
  /** What rules know it by: `Key.owner`, `Key.scopes[]`, `Key.metadata{key}`; of a list or map as a whole: `Key.scopes`. */
  readonly name: string;
  readonly kind: PlaceKind;
  /** The same of the fields that it stands in, the outermost first. */
  readonly within: readonly string[];
  readonly steps: readonly Step[];
}

const SCALARS: Partial<Record<ScalarType, PlaceKind>> = {
  [ScalarType.STRING]: "string",
  [ScalarType.BYTES]: "bytes",
  [ScalarType.BOOL]: "bool",
  [ScalarType.INT32]: "int32",
  [ScalarType.UINT32]: "uint32",
  [ScalarType.INT64]: "int64",
};

const MOMENTS: Readonly<Record<string, PlaceKind>> = {
  "google.protobuf.Timestamp": "timestamp",
  "google.protobuf.Duration": "duration",
};

/** Deeper than any request goes; a message within itself ends here. */
const MOST_STEPS = 8;

interface Around {
  readonly path: string;
  readonly within: readonly string[];
  readonly steps: readonly Step[];
}

const TOP: Around = { path: "", within: [], steps: [] };

/** Every place in a message of this type, at any depth. Throws TypeError for a kind of field that nobody has thought of. */
export function placesIn(schema: DescMessage, around: Around = TOP): readonly FieldPlace[] {
  if (around.steps.length >= MOST_STEPS) return [];
  return schema.fields.flatMap((field) => placesOf(field, around));
}

function placesOf(field: DescField, around: Around): readonly FieldPlace[] {
  const path = around.path === "" ? field.name : `${around.path}.${field.name}`;
  const name = `${field.parent.name}.${field.name}`;
  const siblings = (field.oneof?.fields ?? []).map(({ number }) => number);
  const steps = [
    ...around.steps,
    { number: field.number, siblings: siblings.filter((n) => n !== field.number) },
  ];
  const whole = { path, name, within: around.within, steps };
  const within = [...around.within, name];
  switch (field.fieldKind) {
    case "list": {
      const items = { path: `${path}[0]`, within, steps };
      const item = { ...whole, path: items.path, name: `${name}[]`, within };
      return [{ ...whole, kind: "list" }, ...placesOfOne(field, item, field.message, items)];
    }
    case "map": {
      const at = (number: number) => [...steps, { number, siblings: [] }];
      const key: FieldPlace = { ...whole, name: `${name}{key}`, kind: "string", within, steps: at(1) };
      const value = { ...whole, name: `${name}{value}`, within, steps: at(2) };
      return [{ ...whole, kind: "map" }, key, ...placesOfOne(field, value, field.message, value)];
    }
    default:
      return placesOfOne(field, whole, field.message, { path, within, steps });
  }
}

function placesOfOne(
  field: DescField,
  place: Omit<FieldPlace, "kind">,
  message: DescMessage | undefined,
  inner: Around,
): readonly FieldPlace[] {
  if (field.enum !== undefined) return [{ ...place, kind: "enum" }];
  if (message === undefined) return [{ ...place, kind: scalarKind(field) }];
  const moment = MOMENTS[message.typeName];
  if (moment !== undefined) return [{ ...place, kind: moment }];
  return [{ ...place, kind: "message" }, ...placesIn(message, inner)];
}

function scalarKind(field: DescField): PlaceKind {
  const kind = field.scalar === undefined ? undefined : SCALARS[field.scalar];
  if (kind === undefined)
    throw new TypeError(`${field} is of a kind that nothing bad is known for: add it here`);
  return kind;
}

/** Does the path lead to a field or oneof of the message, as `key.rate_limits[0].window` does? */
export function leadsToField(schema: DescMessage, path: string): boolean {
  const [first = "", index = "", rest = ""] = segments(path);
  if (first === "") return false;
  const isOneof = schema.oneofs.some((oneof) => oneof.name === first && index === "" && rest === "");
  const field = schema.fields.find((candidate) => candidate.name === first);
  if (field === undefined) return isOneof;
  const isIndexed = index !== "";
  if (isIndexed && field.fieldKind !== (index.startsWith('["') ? "map" : "list")) return false;
  if (rest === "") return true;
  if (field.fieldKind === "list" && !isIndexed) return false;
  return field.message !== undefined && leadsToField(field.message, rest);
}

/** `a[0].b.c` as a, [0], b.c; nothing of what has not that shape. */
function segments(path: string): readonly string[] {
  const [, ...parts] = /^([a-z0-9_]+)(\[\d+\]|\["(?:[^"\\]|\\.)*"\])?(?:\.(.+))?$/u.exec(path) ?? [];
  return parts.map((part) => part ?? "");
}
