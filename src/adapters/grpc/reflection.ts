import { create, type DescService } from "@bufbuild/protobuf";
import { Status, type StatusName } from "../../domain/status.ts";
import { file_google_rpc_error_details } from "../../gen/google/rpc/error_details_pb.ts";
import {
  ErrorResponseSchema,
  ExtensionNumberResponseSchema,
  FileDescriptorResponseSchema,
  ListServiceResponseSchema,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
  ServerReflection as ServerReflectionV1,
} from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionV1Alpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import type { Method, StreamCall } from "../../ports/transport.ts";
import { type DescriptorIndex, indexDescriptors } from "./descriptor-index.ts";
import { protobufCodec } from "./protobuf-codec.ts";

/**
 * Server reflection (grpc/doc/server-reflection.md), v1 and v1alpha, for these services and itself: it lets clients
 * such as grpcurl call a server whose proto files they do not have.
 */
export function reflectionMethods(services: readonly DescService[]): readonly Method[] {
  const served = [...services, ServerReflectionV1, ServerReflectionV1Alpha];
  // What a failure carries in its details is declared by no service.
  const index = indexDescriptors([...served.map(({ file }) => file), file_google_rpc_error_details]);
  const names = served.map(({ typeName }) => typeName).toSorted();
  // The two versions differ in their names only, not on the wire.
  return [ServerReflectionV1, ServerReflectionV1Alpha].map(({ typeName }) => ({
    kind: "bidi-stream",
    path: `/${typeName}/ServerReflectionInfo`,
    request: protobufCodec(ServerReflectionRequestSchema),
    response: protobufCodec(ServerReflectionResponseSchema),
    handle(request: ServerReflectionRequest, call: StreamCall<ServerReflectionResponse>) {
      call.send(
        create(ServerReflectionResponseSchema, {
          validHost: request.host,
          originalRequest: request,
          messageResponse: answer(request.messageRequest, index, names),
        }),
      );
    },
  }));
}

type Question = ServerReflectionRequest["messageRequest"];
type Answer = ServerReflectionResponse["messageResponse"];

function answer(question: Question, index: DescriptorIndex, names: readonly string[]): Answer {
  switch (question.case) {
    case "listServices":
      return {
        case: "listServicesResponse",
        value: create(ListServiceResponseSchema, { service: names.map((name) => ({ name })) }),
      };
    case "fileByFilename":
      return files(index.byName(question.value), "file of this name");
    case "fileContainingSymbol":
      return files(index.bySymbol(question.value), "such symbol");
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = question.value;
      return files(index.byExtension(containingType, extensionNumber), "such extension");
    }
    case "allExtensionNumbersOfType":
      return extensionNumbers(question.value, index);
    case undefined:
      return refusal("INVALID_ARGUMENT", "The request asks for nothing that this server knows of.");
  }
}

function extensionNumbers(baseTypeName: string, index: DescriptorIndex): Answer {
  const extensionNumber = index.extensionNumbers(baseTypeName);
  if (extensionNumber === undefined) {
    return refusal("NOT_FOUND", "There is no such message.");
  }
  const value = create(ExtensionNumberResponseSchema, { baseTypeName, extensionNumber });
  return { case: "allExtensionNumbersResponse", value };
}

function files(fileDescriptorProto: Uint8Array<ArrayBuffer>[] | undefined, what: string): Answer {
  if (fileDescriptorProto === undefined) {
    return refusal("NOT_FOUND", `There is no ${what}.`);
  }
  return {
    case: "fileDescriptorResponse",
    value: create(FileDescriptorResponseSchema, { fileDescriptorProto }),
  };
}

function refusal(status: StatusName, errorMessage: string): Answer {
  return {
    case: "errorResponse",
    value: create(ErrorResponseSchema, { errorCode: Status[status], errorMessage }),
  };
}
