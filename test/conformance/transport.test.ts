import { dataPlaneLimits } from "../../src/adapters/grpc/limits.ts";
import { startGrpcServer } from "../../src/adapters/grpc/server.ts";
import { describeTransport } from "./transport-conformance.ts";

describeTransport("grpc-js", async (methods) => {
  const internalErrors: unknown[] = [];
  const { port, drain } = await startGrpcServer({
    methods,
    host: "127.0.0.1",
    port: 0,
    setting: "--grpc",
    limits: dataPlaneLimits,
    onInternalError: (error) => internalErrors.push(error),
  });
  return { port, internalErrors, drain };
});
