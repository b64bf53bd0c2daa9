import { dataPlaneLimits } from "../../src/adapters/grpc/limits.ts";
import { listen } from "../../src/adapters/grpc/listener.ts";
import { startGrpcServer } from "../../src/adapters/grpc/server.ts";
import { openTls } from "../../src/adapters/tls/tls-source.ts";
import { describeTransport } from "./transport-conformance.ts";

describeTransport("grpc-js", async (methods, files) => {
  const internalErrors: unknown[] = [];
  const listener = await listen({ host: "127.0.0.1", port: 0, setting: "--grpc" });
  const tls =
    files &&
    openTls({
      files,
      now: Date.now,
      onTlsReloaded: () => {},
      onTlsProblem: (error) => internalErrors.push(error),
    });
  const { drain } = startGrpcServer({
    listener,
    methods,
    tls,
    limits: dataPlaneLimits,
    onInternalError: (error) => internalErrors.push(error),
  });
  return {
    port: listener.port,
    internalErrors,
    drain: (graceMs) => {
      tls?.close();
      return drain(graceMs);
    },
  };
});
