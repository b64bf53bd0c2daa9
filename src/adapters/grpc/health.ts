import { create } from "@bufbuild/protobuf";
import {
  type HealthCheckRequest,
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
} from "../../gen/grpc/health/v1/health_pb.ts";
import type { Failure, Method, ServerStreamCall, UnaryCall } from "../../ports/transport.ts";
import { protobufCodec } from "./protobuf-codec.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;

type WatchCall = ServerStreamCall<HealthCheckRequest, HealthCheckResponse>;

export interface Health {
  /** grpc.health.v1.Health, Check and Watch. */
  readonly methods: readonly Method[];
  /** Says whether all services serve, to everyone who watches. NOT_SERVING until the first call. */
  set(serving: boolean): void;
  /** NOT_SERVING for good; then every watch ends, so that none keeps the server from draining. */
  shutDown(): void;
}

const shutDownFailure: Failure = {
  status: "UNAVAILABLE",
  reason: "SHUTTING_DOWN",
  message: "The server is shutting down.",
};

/**
 * The gRPC health checking protocol (grpc/doc/health-checking.md) for services by full name, which all serve or all
 * do not; the empty name is the whole server.
 */
export function createHealth(services: readonly string[]): Health {
  const known = new Set(["", ...services]);
  const watches = new Set<WatchCall>();
  let serving = false;
  let down = false;

  const responseFor = (service: string): HealthCheckResponse => {
    const status = serving ? SERVING : NOT_SERVING;
    return create(HealthCheckResponseSchema, { status: known.has(service) ? status : SERVICE_UNKNOWN });
  };

  const check = (call: UnaryCall<HealthCheckRequest, HealthCheckResponse>): void => {
    const { service } = call.request;
    if (known.has(service)) {
      call.reply(responseFor(service));
      return;
    }
    call.fail({
      status: "NOT_FOUND",
      reason: "SERVICE_UNKNOWN",
      message: `This server has no service of that name. It has: ${services.join(", ")}.`,
    });
  };

  const watch = (call: WatchCall): void => {
    call.send(responseFor(call.request.service));
    if (down) {
      call.fail(shutDownFailure);
      return;
    }
    watches.add(call);
    call.onCancel(() => watches.delete(call));
  };

  const set = (next: boolean): void => {
    if (down || next === serving) {
      return;
    }
    serving = next;
    for (const call of watches) {
      if (known.has(call.request.service)) {
        call.send(responseFor(call.request.service));
      }
    }
  };

  const request = protobufCodec(HealthCheckRequestSchema);
  const response = protobufCodec(HealthCheckResponseSchema);
  return {
    methods: [
      {
        kind: "unary",
        path: "/grpc.health.v1.Health/Check",
        request,
        response,
        handle: (calls: readonly UnaryCall<HealthCheckRequest, HealthCheckResponse>[]) =>
          calls.forEach(check),
      },
      { kind: "server-stream", path: "/grpc.health.v1.Health/Watch", request, response, handle: watch },
    ],
    set,
    shutDown() {
      set(false);
      down = true;
      for (const call of watches) {
        call.fail(shutDownFailure);
      }
      watches.clear();
    },
  };
}
