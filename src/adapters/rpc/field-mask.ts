import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { isFieldSet } from "@bufbuild/protobuf";
import type { FieldMask } from "@bufbuild/protobuf/wkt";
import { invalidArgument } from "../../domain/keywarden-error.ts";

/**
 * Which of the changeable fields an update takes (AIP-134, AIP-161): those that the mask names, all for `*`, and
 * without a mask those that are set in the message. Throws INVALID_ARGUMENT (INVALID_UPDATE_MASK) for any other name.
 */
export function maskedFields<Schema extends DescMessage, Field extends string>(
  schema: Schema,
  message: MessageShape<Schema>,
  mask: FieldMask | undefined,
  changeable: readonly Field[],
): readonly Field[] {
  if (mask === undefined || mask.paths.length === 0) {
    return changeable.filter((name) => {
      const field = schema.fields.find((candidate) => candidate.name === name);
      return field !== undefined && isFieldSet(message, field);
    });
  }
  if (mask.paths.length === 1 && mask.paths.includes("*")) return changeable;
  const unknown = mask.paths.filter((path) => !changeable.some((name) => name === path));
  if (unknown.length === 0) return changeable.filter((name) => mask.paths.includes(name));
  const description = `names ${unknown.length} that can't be changed; these can: ${changeable.join(", ")}, or "*" alone for all`;
  throw invalidArgument([{ field: "update_mask", description }], "INVALID_UPDATE_MASK");
}
