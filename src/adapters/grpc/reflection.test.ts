import { create, createFileRegistry, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Client, credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Status } from "../../domain/status.ts";
import {
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { AdminService } from "../../gen/keywarden/v1/admin_service_pb.ts";
import { VerifyService } from "../../gen/keywarden/v1/verify_service_pb.ts";
import { dataPlaneLimits } from "./limits.ts";
import { listen } from "./listener.ts";
import { reflectionMethods } from "./reflection.ts";
import { type GrpcServer, startGrpcServer } from "./server.ts";

type Question = MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"];

let server: GrpcServer;
let client: Client;
beforeAll(async () => {
  server = startGrpcServer({
    methods: reflectionMethods([AdminService, VerifyService]),
    listener: await listen({ host: "127.0.0.1", port: 0, setting: "--grpc" }),
    limits: dataPlaneLimits,
    onInternalError: (error) => {
      throw error;
    },
  });
  client = new Client(server.address, credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  await server.drain(0);
});

function fileNames({ messageResponse }: ServerReflectionResponse): string[] {
  if (messageResponse.case !== "fileDescriptorResponse") {
    throw new Error(`${messageResponse.case} came instead of files`);
  }
  const files = messageResponse.value.fileDescriptorProto;
  return files.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
}

describe.each(["v1", "v1alpha"])("reflection %s", (version) => {
  /** Asks all on one stream. */
  async function ask(...questions: Question[]): Promise<ServerReflectionResponse[]> {
    const stream = client.makeBidiStreamRequest(
      `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
      (question: Question) => {
        const request = create(ServerReflectionRequestSchema, {
          host: "here",
          ...(question && { messageRequest: question }),
        } as MessageInitShape<typeof ServerReflectionRequestSchema>);
        return Buffer.from(toBinary(ServerReflectionRequestSchema, request));
      },
      (bytes) => fromBinary(ServerReflectionResponseSchema, bytes),
    );
    for (const question of questions) {
      stream.write(question);
    }
    stream.end();
    const responses: ServerReflectionResponse[] = [];
    for await (const response of stream as AsyncIterable<ServerReflectionResponse>) {
      responses.push(response);
    }
    return responses;
  }

  test("every served service is listed, its own included", async () => {
    const [response] = await ask({ case: "listServices", value: "" });
    expect(response).toMatchObject({ validHost: "here", originalRequest: { host: "here" } });
    const { value } = response!.messageResponse as { value: { service: { name: string }[] } };
    expect(value.service.map(({ name }) => name)).toEqual([
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "keywarden.v1.AdminService",
      "keywarden.v1.VerifyService",
    ]);
  });

  test("a client can build a service from what it gets, options with extensions included", async () => {
    const [response] = await ask({ case: "fileContainingSymbol", value: AdminService.typeName });
    const { value } = response!.messageResponse as { value: { fileDescriptorProto: Uint8Array[] } };
    const file = value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
    expect(file.map(({ name }) => name)).toContain("google/protobuf/descriptor.proto");
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: file.toReversed() }));
    const service = registry.getService(AdminService.typeName);
    expect(service?.methods.map(({ name }) => name)).toEqual(AdminService.methods.map(({ name }) => name));
    expect(registry.getExtension("keywarden.v1.required_scope")?.number).toBe(50001);
  });

  test.each([
    ["a service", "keywarden.v1.VerifyService", "keywarden/v1/verify_service.proto"],
    ["a method", "keywarden.v1.VerifyService.VerifyKey", "keywarden/v1/verify_service.proto"],
    ["a message", "keywarden.v1.RateLimit", "keywarden/v1/rate_limit.proto"],
    ["a nested type", "keywarden.v1.Key.State", "keywarden/v1/key.proto"],
    ["a field", "keywarden.v1.VerifyKeyRequest.token", "keywarden/v1/verify_service.proto"],
    ["a oneof", "keywarden.v1.BatchVerifyKeysResult.outcome", "keywarden/v1/verify_service.proto"],
    ["an enum", "keywarden.v1.Reason", "keywarden/v1/verify_service.proto"],
    ["an enum value", "keywarden.v1.REASON_ALLOWED", "keywarden/v1/verify_service.proto"],
    ["an extension", "keywarden.v1.required_scope", "keywarden/v1/options.proto"],
    ["a type of protobuf", "google.protobuf.Timestamp", "google/protobuf/timestamp.proto"],
    ["what failures carry", "google.rpc.ErrorInfo", "google/rpc/error_details.proto"],
  ])("the file of %s is found by its full name", async (_, value, file) => {
    const [response] = await ask({ case: "fileContainingSymbol", value });
    expect(fileNames(response!)[0]).toBe(file);
  });

  test("a file is found by its name, with what it imports, each once", async () => {
    const [response] = await ask({ case: "fileByFilename", value: "keywarden/v1/verify_service.proto" });
    const names = fileNames(response!);
    expect(names[0]).toBe("keywarden/v1/verify_service.proto");
    expect(names.slice(1).toSorted()).toEqual([
      "google/protobuf/any.proto",
      "google/protobuf/descriptor.proto",
      "google/protobuf/duration.proto",
      "google/protobuf/timestamp.proto",
      "google/rpc/status.proto",
      "keywarden/v1/options.proto",
      "keywarden/v1/rate_limit.proto",
    ]);
  });

  test("extensions are found by the message they extend", async () => {
    const containingType = "google.protobuf.MethodOptions";
    const [numbers, file, none] = await ask(
      { case: "allExtensionNumbersOfType", value: containingType },
      { case: "fileContainingExtension", value: { containingType, extensionNumber: 50001 } } as Question,
      { case: "allExtensionNumbersOfType", value: "keywarden.v1.Key" },
    );
    expect(numbers!.messageResponse.value).toMatchObject({ extensionNumber: [50001, 50002] });
    expect(fileNames(file!)[0]).toBe("keywarden/v1/options.proto");
    expect(none!.messageResponse.value).toMatchObject({
      baseTypeName: "keywarden.v1.Key",
      extensionNumber: [],
    });
  });

  test("what does not exist is NOT_FOUND, and the stream goes on", async () => {
    const containingType = "google.protobuf.MethodOptions";
    const responses = await ask(
      { case: "fileByFilename", value: "keywarden/v1/nothing.proto" },
      { case: "fileContainingSymbol", value: "keywarden.v1.Nothing" },
      { case: "fileContainingExtension", value: { containingType, extensionNumber: 1 } } as Question,
      { case: "allExtensionNumbersOfType", value: "keywarden.v1.Nothing" },
      { case: "listServices", value: "" },
    );
    const codes = responses.map(({ messageResponse: { case: kind, value } }) =>
      kind === "errorResponse" ? value.errorCode : kind,
    );
    expect(codes).toEqual([...Array(4).fill(Status.NOT_FOUND), "listServicesResponse"]);
  });

  test("a request that asks for nothing is INVALID_ARGUMENT", async () => {
    const [response] = await ask({ case: undefined });
    expect(response!.messageResponse.value).toMatchObject({ errorCode: Status.INVALID_ARGUMENT });
  });
});
