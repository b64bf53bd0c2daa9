import type { handleUnaryCall, Server, ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js";
import type { Failure, UnaryCall, UnaryMethod } from "../../ports/transport.ts";
import {
  type CertificatesByPeer,
  certificateNames,
  deadlineOf,
  isCancelled,
  metadataValues,
  peerAddress,
  whenCancelled,
} from "./call-context.ts";
import { failureStatus } from "./failure-status.ts";
import {
  alreadySerialized,
  deserializer,
  encodeMessage,
  internalFailure,
  Malformed,
} from "./message-bytes.ts";

interface UnaryOptions {
  readonly certificates: CertificatesByPeer;
  readonly reportError: (error: unknown, path: string) => void;
}

/** Registers the method so that its handler gets all calls of an event-loop turn, after the last of them arrived. */
export function registerUnary(server: Server, method: UnaryMethod, options: UnaryOptions): void {
  let waiting: GrpcUnaryCall[] = [];

  // Sockets are read before `setImmediate` callbacks run, so that one finds every call of the turn.
  const handleTurn = (): void => {
    const calls = waiting;
    waiting = [];
    try {
      method.handle(calls);
    } catch (error) {
      for (const call of calls) {
        call.fail(internalFailure);
      }
      options.reportError(error, method.path);
    }
  };

  const accept: handleUnaryCall<unknown, Buffer> = (call, respond) => {
    const { request } = call;
    if (request instanceof Malformed) {
      respond(failureStatus(request.failure));
      return;
    }
    if (waiting.push(new GrpcUnaryCall(call, respond, method, options)) === 1) {
      setImmediate(handleTurn);
    }
  };

  server.register(method.path, accept, alreadySerialized, deserializer(method.request), "unary");
}

/** One of these is made for every call: it holds references, and computes only what it is asked for. */
class GrpcUnaryCall implements UnaryCall<unknown, unknown> {
  readonly request: unknown;
  readonly deadline: number;
  readonly #call: ServerUnaryCall<unknown, Buffer>;
  readonly #respond: sendUnaryData<Buffer>;
  readonly #method: UnaryMethod;
  readonly #options: UnaryOptions;
  #answered = false;

  constructor(
    call: ServerUnaryCall<unknown, Buffer>,
    respond: sendUnaryData<Buffer>,
    method: UnaryMethod,
    options: UnaryOptions,
  ) {
    this.request = call.request;
    this.deadline = deadlineOf(call);
    this.#call = call;
    this.#respond = respond;
    this.#method = method;
    this.#options = options;
  }

  get peer(): string {
    return peerAddress(this.#call);
  }

  get certificateNames(): readonly string[] {
    return certificateNames(this.#call, this.#options.certificates);
  }

  metadata(name: string): readonly string[] {
    return metadataValues(this.#call, name);
  }

  isOver(): boolean {
    return this.#answered || isCancelled(this.#call, this.deadline);
  }

  reply(response: unknown): void {
    if (this.isOver()) {
      return;
    }
    let bytes: Buffer;
    try {
      bytes = encodeMessage(this.#method.response, response);
    } catch (error) {
      this.fail(internalFailure);
      this.#options.reportError(error, this.#method.path);
      return;
    }
    this.#answered = true;
    this.#respond(null, bytes);
  }

  fail(failure: Failure): void {
    if (this.isOver()) {
      return;
    }
    this.#answered = true;
    this.#respond(failureStatus(failure));
  }

  onCancel(callback: () => void): void {
    whenCancelled(this.#call, () => this.#answered, callback);
  }
}
