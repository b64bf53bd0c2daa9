import {
  create,
  type DescMethod,
  type DescService,
  fromBinary,
  type Message,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { GenService } from "@bufbuild/protobuf/codegenv2";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import type { FieldViolation } from "../domain/keywarden-error.ts";
import { Status, type StatusName } from "../domain/status.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import { type Status as RpcStatus, StatusSchema } from "../gen/google/rpc/status_pb.ts";

type UnaryShape = Record<string, Pick<DescMethod, "input" | "output"> & { methodKind: "unary" }>;

/** One function for each unary method of a service. They reject with an RpcError. */
export type RpcClient<Shape extends UnaryShape> = {
  readonly [Name in keyof Shape]: (
    request: MessageInitShape<Shape[Name]["input"]>,
  ) => Promise<MessageShape<Shape[Name]["output"]>>;
} & { close(): void };

/** A connection over TLS. */
export interface ClientTls {
  /** PEM. undefined: the certificate authorities that Node.js trusts. */
  readonly ca: Buffer | undefined;
  /** PEM, both or neither. */
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
  /** What the server's certificate must be for. undefined: the address. */
  readonly serverName: string | undefined;
}

export interface RpcClientOptions {
  /** Milliseconds that each call may take. */
  readonly deadlineMs: number;
  /** Asked before each call. */
  readonly metadata?: () => Readonly<Record<string, string>>;
  /** Undefined: plaintext. */
  readonly tls?: ClientTls | undefined;
}

/** A call that ended with a status other than OK. */
export class RpcError extends Error {
  readonly status: StatusName;
  /** google.rpc.ErrorInfo.reason; empty if the server did not send one. */
  readonly reason: string;
  readonly violations: readonly FieldViolation[];

  constructor(status: StatusName, message: string, reason: string, violations: readonly FieldViolation[]) {
    super(message);
    this.name = "RpcError";
    this.status = status;
    this.reason = reason;
    this.violations = violations;
  }
}

/** A client of the service at `address`, such as `127.0.0.1:50052`. Connects on the first call; close it after the last. */
export function createRpcClient<Shape extends UnaryShape>(
  service: GenService<Shape>,
  address: string,
  options: RpcClientOptions,
): RpcClient<Shape>;
export function createRpcClient(
  service: DescService,
  address: string,
  options: RpcClientOptions,
): Record<string, (request: Message) => Promise<Message>> & { close(): void } {
  const { tls } = options;
  const client = new Client(address, channelCredentials(tls), {
    // The address is the server: no proxy from the environment, no configuration from DNS.
    "grpc.enable_http_proxy": 0,
    "grpc.service_config_disable_resolution": 1,
    "grpc.enable_channelz": 0,
    // A connection of its own for each client.
    "grpc.use_local_subchannel_pool": 1,
    ...(tls?.serverName !== undefined && { "grpc.ssl_target_name_override": tls.serverName }),
  });
  const methods = service.methods.map((method) => [
    method.localName,
    (request: Message) => callUnary(client, method, request, options),
  ]);
  return { ...Object.fromEntries(methods), close: () => client.close() };
}

function channelCredentials(tls: ClientTls | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  // grpc-js puts an IP address where TLS has a server's name, and Node warns about it on standard error: no news to
  // whoever calls a server by its address.
  process.noDeprecation = true;
  return credentials.createSsl(tls.ca, tls.key, tls.cert);
}

async function callUnary(
  client: Client,
  { parent, name, input, output }: DescMethod,
  request: MessageInitShape<typeof input>,
  { metadata, deadlineMs }: RpcClientOptions,
): Promise<Message> {
  const sent = toMetadata(metadata?.() ?? {});
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      `/${parent.typeName}/${name}`,
      (message: Message) => Buffer.from(toBinary(input, message)),
      (bytes) => fromBinary(output, bytes),
      create(input, request),
      sent,
      { deadline: Date.now() + deadlineMs },
      (error, response) => {
        if (error !== null || response === undefined) {
          reject(rpcError(error));
        } else {
          resolve(response);
        }
      },
    );
  });
}

function toMetadata(fields: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(fields)) {
    // grpc-js would refuse it too, but with the value in its message.
    if (!/^[ -~]*$/.test(value)) {
      const message = `${name} has characters that a header cannot carry: only printable ASCII can be sent.`;
      throw new RpcError("INVALID_ARGUMENT", message, "UNSENDABLE_METADATA", []);
    }
    metadata.set(name, value);
  }
  return metadata;
}

function rpcError(error: ServiceError | null): RpcError {
  if (error === null) {
    return new RpcError("INTERNAL", "The server answered OK without a message.", "", []);
  }
  const details = statusDetails(error);
  const errorInfo = details?.details.map((any) => anyUnpack(any, ErrorInfoSchema)).find(Boolean);
  const badRequest = details?.details.map((any) => anyUnpack(any, BadRequestSchema)).find(Boolean);
  const violations = (badRequest?.fieldViolations ?? []).map(({ field, description }) => ({
    field,
    description,
  }));
  return new RpcError(statusName(error.code), error.details, errorInfo?.reason ?? "", violations);
}

/** What `grpc-status-details-bin` holds; undefined if it is not there or unreadable: the status stands without it. */
function statusDetails({ metadata }: ServiceError): RpcStatus | undefined {
  const [bytes] = metadata.get("grpc-status-details-bin");
  try {
    return bytes instanceof Buffer ? fromBinary(StatusSchema, bytes) : undefined;
  } catch {
    return undefined;
  }
}

function isStatusName(name: string): name is StatusName {
  return Object.hasOwn(Status, name);
}

function statusName(code: number): StatusName {
  return (
    Object.keys(Status)
      .filter(isStatusName)
      .find((name) => Status[name] === code) ?? "UNKNOWN"
  );
}
