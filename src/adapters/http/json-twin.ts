import { createRegistry, type DescMethod, fromBinary, toBinary, toJsonString } from "@bufbuild/protobuf";
import { BadRequestSchema, ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import type { UnaryMethod } from "../../ports/transport.ts";
import { encodeMessage } from "../grpc/message-bytes.ts";
import { decodeJson } from "./json-message.ts";
import { textEncoder } from "./text-encoder.ts";

/** What the errors of a batch carry. */
const registry = createRegistry(ErrorInfoSchema, BadRequestSchema);

/**
 * The method, with the same messages in protobuf's JSON mapping (https://protobuf.dev/programming-guides/json/). Fields
 * that have their default value are written out as well: `"allowed": false` is there to be read.
 */
export function jsonTwin(
  method: UnaryMethod,
  { input, output }: Pick<DescMethod, "input" | "output">,
): UnaryMethod {
  return {
    ...method,
    request: {
      decode(bytes, start, end) {
        const message = toBinary(input, decodeJson(input, bytes.subarray(start, end)));
        return method.request.decode(message, 0, message.length);
      },
    },
    response: textEncoder((response) => {
      const message = fromBinary(output, encodeMessage(method.response, response));
      return toJsonString(output, message, { registry, alwaysEmitImplicit: true });
    }),
  };
}
