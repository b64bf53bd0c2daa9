import { connect as connectHttp2, type OutgoingHttpHeaders } from "node:http2";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type ChannelCredentials,
  Client,
  type ClientUnaryCall,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { afterEach } from "vitest";
import { protobufCodec } from "../../src/adapters/grpc/protobuf-codec.ts";
import type { TlsFiles } from "../../src/adapters/tls/tls-identity.ts";
import {
  type VerifyKeyRequest,
  VerifyKeyRequestSchema,
  type VerifyKeyResponse,
  VerifyKeyResponseSchema,
} from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import type { Failure, Method, ServerStreamCall, StreamCall, UnaryCall } from "../../src/ports/transport.ts";

/** A transport that serves, as the suite sees it. */
export interface Served {
  /** On 127.0.0.1. */
  readonly port: number;
  /** What the transport reported of its handlers, in order. */
  readonly internalErrors: readonly unknown[];
  drain(graceMs: number): Promise<void>;
}

/** Starts the transport on a free port, with the data plane's limits, and over TLS if there are files for it. */
export type Start = (methods: readonly Method[], tls?: TlsFiles) => Promise<Served>;

export const paths = { unary: "/test.Echo/Unary", stream: "/test.Echo/Stream", bidi: "/test.Echo/Bidi" };
const request = protobufCodec(VerifyKeyRequestSchema);
const response = protobufCodec(VerifyKeyResponseSchema);

export type EchoCall = UnaryCall<VerifyKeyRequest, VerifyKeyResponse>;

export function unaryMethod(handle: (calls: readonly EchoCall[]) => void): Method {
  return { kind: "unary", path: paths.unary, request, response, handle };
}

export function streamMethod(
  handle: (call: ServerStreamCall<VerifyKeyRequest, VerifyKeyResponse>) => void,
): Method {
  return { kind: "server-stream", path: paths.stream, request, response, handle };
}

export function bidiMethod(
  handle: (request: VerifyKeyRequest, call: StreamCall<VerifyKeyResponse>) => void,
): Method {
  return { kind: "bidi-stream", path: paths.bidi, request, response, handle };
}

export function say(message: string): VerifyKeyResponse {
  return create(VerifyKeyResponseSchema, { message });
}

/** Answers each call with its token. */
export const echo = unaryMethod((calls) => {
  for (const call of calls) {
    call.reply(say(call.request.token));
  }
});

export const refusal: Failure = {
  status: "FAILED_PRECONDITION",
  reason: "NOT_LIKE_THIS",
  message: "Not like this.",
};

/** Fails each call. */
export function failing(failure: Failure): Method {
  return unaryMethod((calls) => {
    for (const call of calls) {
      call.fail(failure);
    }
  });
}

export function requestBytes(init: MessageInitShape<typeof VerifyKeyRequestSchema>): Buffer {
  return Buffer.from(toBinary(VerifyKeyRequestSchema, create(VerifyKeyRequestSchema, init)));
}

/** A gRPC frame: flag, length, message. */
export function frame(message: Uint8Array, flag = 0, length = message.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

export interface CallOptions {
  readonly metadata?: Metadata;
  readonly deadline?: number;
}

/** A client of the echo methods on one connection. */
export class EchoClient {
  readonly #client: Client;

  constructor(port: number, channel: ChannelCredentials) {
    // Its own connection, and no retries that would hide what the server does.
    this.#client = new Client(`127.0.0.1:${port}`, channel, {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_retries": 0,
      // TLS has no place for an IP address.
      "grpc.ssl_target_name_override": "localhost",
    });
  }

  /** Resolves with the reply's message; rejects with grpc-js's ServiceError. */
  say(token: string, options: CallOptions = {}): Promise<string> {
    return this.start(token, options).answer;
  }

  start(token: string, options: CallOptions = {}): { call: ClientUnaryCall; answer: Promise<string> } {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const call = this.#client.makeUnaryRequest(
      paths.unary,
      serialize,
      deserialize,
      token,
      options.metadata ?? new Metadata(),
      options.deadline === undefined ? {} : { deadline: options.deadline },
      (error, reply) => (error === null ? resolve(reply ?? "") : reject(error)),
    );
    return { call, answer: promise };
  }

  stream(token: string) {
    return this.#client.makeServerStreamRequest(paths.stream, serialize, deserialize, token);
  }

  bidi() {
    return this.#client.makeBidiStreamRequest(paths.bidi, serialize, deserialize);
  }

  close(): void {
    this.#client.close();
  }
}

const serialize = (token: string): Buffer => requestBytes({ token });
const deserialize = (bytes: Buffer): string => fromBinary(VerifyKeyResponseSchema, bytes).message;

/** The error that a call ended with. */
export async function failureOf(answer: Promise<unknown>): Promise<ServiceError> {
  try {
    await answer;
  } catch (error) {
    return error as ServiceError;
  }
  throw new Error("the call succeeded");
}

/** What a stream got, and how it ended. */
export function endOf(stream: AsyncIterable<string>): Promise<{ messages: string[]; error?: ServiceError }> {
  return (async () => {
    const messages: string[] = [];
    try {
      for await (const message of stream) {
        messages.push(message);
      }
    } catch (error) {
      return { messages, error: error as ServiceError };
    }
    return { messages };
  })();
}

export interface RawReply {
  readonly httpStatus: number | undefined;
  /** From the trailers, or from the headers if there is nothing else. */
  readonly grpcStatus: number | undefined;
  /** As it was on the wire: percent-encoded. */
  readonly grpcMessage: string;
  readonly body: Buffer;
  /** The HTTP/2 error code that the stream was closed with. */
  readonly reset: number;
}

/** One call by hand over node:http2, on a connection of its own. Headers with an undefined value are left out. */
export async function rawCall(
  port: number,
  body: Uint8Array,
  headers: OutgoingHttpHeaders = {},
): Promise<RawReply> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  const sent = { ...rawHeaders, ...headers };
  const stream = session.request(
    Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined)),
    { endStream: false },
  );
  const chunks: Buffer[] = [];
  let head: Record<string, unknown> = {};
  stream.on("error", () => {});
  stream.on("response", (received) => {
    head = { ...head, ...received };
  });
  stream.on("trailers", (received) => {
    head = { ...head, ...received };
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.end(body);
  await new Promise((resolve) => {
    stream.once("close", resolve);
  });
  session.destroy();
  const grpcStatus = head["grpc-status"];
  return {
    httpStatus: typeof head[":status"] === "number" ? head[":status"] : undefined,
    grpcStatus: grpcStatus === undefined ? undefined : Number(grpcStatus),
    grpcMessage: String(head["grpc-message"] ?? ""),
    body: Buffer.concat(chunks),
    reset: stream.rstCode,
  };
}

export const rawHeaders: OutgoingHttpHeaders = {
  ":method": "POST",
  ":path": paths.unary,
  "content-type": "application/grpc",
  te: "trailers",
};

/** Starts servers and clients for one test, and ends them after it. */
export function transportFixture(start: Start) {
  const servers: Served[] = [];
  const clients: EchoClient[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) {
      client.close();
    }
    await Promise.all(servers.splice(0).map((served) => served.drain(0)));
  });
  const serveOver = async (tls: TlsFiles | undefined, ...methods: Method[]): Promise<Served> => {
    const served = await start(methods, tls);
    servers.push(served);
    return served;
  };
  return {
    serve: (...methods: Method[]) => serveOver(undefined, ...methods),
    serveOver,
    connect({ port }: Served, channel = credentials.createInsecure()): EchoClient {
      const client = new EchoClient(port, channel);
      clients.push(client);
      return client;
    },
  };
}

export type TransportFixture = ReturnType<typeof transportFixture>;
