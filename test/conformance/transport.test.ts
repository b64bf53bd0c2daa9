import { dataPlaneLimits } from "../../src/adapters/grpc/limits.ts";
import { listen } from "../../src/adapters/grpc/listener.ts";
import { startGrpcServer } from "../../src/adapters/grpc/server.ts";
import { describeTransport } from "./transport-conformance.ts";

describeTransport("grpc-js", async (methods) => {
  const internalErrors: unknown[] = [];
  const listener = await listen({ host: "127.0.0.1", port: 0, setting: "--grpc" });
  const { drain } = startGrpcServer({
    listener,
    methods,
    limits: dataPlaneLimits,
    onInternalError: (error) => internalErrors.push(error),
  });
  return { port: listener.port, internalErrors, drain };
});
