import type {
  handleBidiStreamingCall,
  handleServerStreamingCall,
  Server,
  ServerDuplexStream,
  ServerWritableStream,
} from "@grpc/grpc-js";
import type {
  BidiStreamMethod,
  Encoder,
  Failure,
  ServerStreamCall,
  ServerStreamMethod,
} from "../../ports/transport.ts";
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

interface StreamOptions {
  readonly maxUnsentMessages: number;
  readonly certificates: CertificatesByPeer;
  readonly reportError: (error: unknown, path: string) => void;
}

export function registerServerStream(
  server: Server,
  method: ServerStreamMethod,
  options: StreamOptions,
): void {
  const accept: handleServerStreamingCall<unknown, Buffer> = (stream) => {
    const call = new GrpcStreamCall(stream, stream.request, method, options);
    call.handle(stream.request, () => method.handle(call));
  };
  server.register(method.path, accept, alreadySerialized, deserializer(method.request), "serverStream");
}

export function registerBidiStream(server: Server, method: BidiStreamMethod, options: StreamOptions): void {
  const accept: handleBidiStreamingCall<unknown, Buffer> = (stream) => {
    const call = new GrpcStreamCall(stream, undefined, method, options);
    stream.on("data", (request: unknown) => {
      call.handle(request, () => method.handle(request, call));
      // A client that does not read its answers does not get to ask more.
      if (stream.writableNeedDrain) {
        stream.pause();
        stream.once("drain", () => stream.resume());
      }
    });
    stream.on("end", () => call.end());
  };
  server.register(method.path, accept, alreadySerialized, deserializer(method.request), "bidi");
}

class GrpcStreamCall implements ServerStreamCall<unknown, unknown> {
  readonly request: unknown;
  readonly deadline: number;
  readonly #stream: ServerWritableStream<unknown, Buffer> | ServerDuplexStream<unknown, Buffer>;
  readonly #method: { readonly path: string; readonly response: Encoder<unknown> };
  readonly #options: StreamOptions;
  #ended = false;

  constructor(
    stream: ServerWritableStream<unknown, Buffer> | ServerDuplexStream<unknown, Buffer>,
    request: unknown,
    method: { readonly path: string; readonly response: Encoder<unknown> },
    options: StreamOptions,
  ) {
    this.request = request;
    this.deadline = deadlineOf(stream);
    this.#stream = stream;
    this.#method = method;
    this.#options = options;
  }

  get peer(): string {
    return peerAddress(this.#stream);
  }

  get certificateNames(): readonly string[] {
    return certificateNames(this.#stream, this.#options.certificates);
  }

  metadata(name: string): readonly string[] {
    return metadataValues(this.#stream, name);
  }

  isOver(): boolean {
    return this.#ended || isCancelled(this.#stream, this.deadline);
  }

  /** Runs the handler for one request, unless the call is over or the request is malformed. */
  handle(request: unknown, handler: () => void): void {
    if (this.isOver()) {
      return;
    }
    if (request instanceof Malformed) {
      this.fail(request.failure);
      return;
    }
    try {
      handler();
    } catch (error) {
      this.#failInternally(error);
    }
  }

  send(response: unknown): void {
    if (this.isOver()) {
      return;
    }
    const { maxUnsentMessages } = this.#options;
    if (this.#stream.writableLength >= maxUnsentMessages) {
      this.fail({
        status: "RESOURCE_EXHAUSTED",
        reason: "SLOW_READER",
        message: `The client has not read the last ${maxUnsentMessages} messages of this stream. Call again, and read them as they come.`,
      });
      return;
    }
    let bytes: Buffer;
    try {
      bytes = encodeMessage(this.#method.response, response);
    } catch (error) {
      this.#failInternally(error);
      return;
    }
    this.#stream.write(bytes);
  }

  end(): void {
    if (this.isOver()) {
      return;
    }
    this.#ended = true;
    this.#stream.end();
  }

  fail(failure: Failure): void {
    if (this.isOver()) {
      return;
    }
    this.#ended = true;
    // How grpc-js takes a status for a stream: it is sent after the messages before it.
    this.#stream.emit("error", failureStatus(failure));
  }

  onCancel(callback: () => void): void {
    whenCancelled(this.#stream, () => this.#ended, callback);
  }

  #failInternally(error: unknown): void {
    this.fail(internalFailure);
    this.#options.reportError(error, this.#method.path);
  }
}
