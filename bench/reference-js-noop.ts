// A gRPC server on grpc-js with its default options that answers every call with the bytes it was sent: what a call
// costs without any work. It prints its address and serves until it is ended.
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";

const asItIs = (bytes: Buffer): Buffer => bytes;

const server = new Server();
server.register(
  "/bench.Reference/Call",
  (call: ServerUnaryCall<Buffer, Buffer>, respond: sendUnaryData<Buffer>) => respond(null, call.request),
  asItIs,
  asItIs,
  "unary",
);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  console.log(`127.0.0.1:${port}`);
});
