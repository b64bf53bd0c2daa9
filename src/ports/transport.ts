import type { FieldViolation } from "../domain/keywarden-error.ts";
import type { StatusName } from "../domain/status.ts";

/**
 * The seam between what is served and what carries it. Methods are values; an adapter binds them to a server.
 * Nothing on the serving side names a type of the carrying side.
 */
export type Method = UnaryMethod | ServerStreamMethod | BidiStreamMethod;

export interface Decoder<Message> {
  /** Reads `bytes[start, end)`. Throws if they are no such message (invalid UTF-8 included); the call then fails with INVALID_ARGUMENT. */
  decode(bytes: Uint8Array, start: number, end: number): Message;
}

export interface Encoder<Message> {
  /** An upper bound of what `encode` writes, in bytes. It is asked right before `encode`, for the same message. */
  maxSize(message: Message): number;
  /** Writes the message at `offset` and returns where it ends. */
  encode(message: Message, bytes: Uint8Array, offset: number): number;
}

/** Turns messages into bytes and back. */
export interface Codec<Message> extends Decoder<Message>, Encoder<Message> {}

export interface UnaryMethod<Request = unknown, Response = unknown> {
  readonly kind: "unary";
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly request: Decoder<Request>;
  readonly response: Encoder<Response>;
  /**
   * Gets all calls of this method that arrived in one event-loop turn, after the last of them arrived, and
   * answers each once, at once or later. If it throws, the unanswered ones fail with INTERNAL.
   */
  handle(calls: readonly UnaryCall<Request, Response>[]): void;
}

export interface ServerStreamMethod<Request = unknown, Response = unknown> {
  readonly kind: "server-stream";
  readonly path: string;
  readonly request: Decoder<Request>;
  readonly response: Encoder<Response>;
  /** If it throws, the call fails with INTERNAL. */
  handle(call: ServerStreamCall<Request, Response>): void;
}

export interface BidiStreamMethod<Request = unknown, Response = unknown> {
  readonly kind: "bidi-stream";
  readonly path: string;
  readonly request: Decoder<Request>;
  readonly response: Encoder<Response>;
  /**
   * Gets each message of the client, in order, and answers it before it returns; the stream ends with OK when the
   * client has ended its side. If it throws, the call fails with INTERNAL.
   */
  handle(request: Request, call: StreamCall<Response>): void;
}

/** What every call has. */
export interface Call {
  /** Milliseconds since the epoch, or Infinity. */
  readonly deadline: number;
  /** The peer's address without its port, such as `127.0.0.1`; empty if unknown. */
  readonly peer: string;
  /**
   * The DNS names and URIs of the client's certificate, such as `DNS:a.example` and `URI:spiffe://example/a`: only of
   * one that was verified. The same list for each call of a connection; empty without such a certificate.
   */
  readonly certificateNames: readonly string[];
  /**
   * The values of a metadata field by its lower-case name, in order; binary ones (`-bin`) are left out. Values that
   * were sent apart may come as one, joined by ", " (RFC 9110 section 5.3). Of a field that may only be sent once,
   * such as `authorization`, a carrier may keep the first value and drop the others.
   */
  metadata(name: string): readonly string[];
  /** Answered, cancelled, or past its deadline: nothing that is sent now would be received. */
  isOver(): boolean;
  /** Ends the call with a status other than OK. Does nothing if the call is over. */
  fail(failure: Failure): void;
  /**
   * Calls back once if the client cancels, the deadline passes, or the connection is lost before the call is answered;
   * at once if that has happened already.
   */
  onCancel(callback: () => void): void;
}

/** Why a call ends without an answer: what a KeywardenError carries, without its cause. */
export interface Failure {
  readonly status: Exclude<StatusName, "OK">;
  /** For google.rpc.ErrorInfo, domain `keywarden`. */
  readonly reason: string;
  readonly message: string;
  readonly violations?: readonly FieldViolation[];
}

export interface UnaryCall<Request, Response> extends Call {
  readonly request: Request;
  /** Ends the call with OK and this message. Does nothing if the call is over. */
  reply(response: Response): void;
}

export interface StreamCall<Response> extends Call {
  /**
   * Sends one message. Does nothing if the call is over. The carrier holds a bounded number of messages for a client
   * that does not read them; one more fails the call with RESOURCE_EXHAUSTED.
   */
  send(response: Response): void;
}

export interface ServerStreamCall<Request, Response> extends StreamCall<Response> {
  readonly request: Request;
  /** Ends the stream with OK. */
  end(): void;
}
