import type { Duplex } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import type { Failure, UnaryCall, UnaryMethod } from "../../ports/transport.ts";
import { encodeMessage, internalFailure } from "../grpc/message-bytes.ts";
import { type Problem, problemOfFailure } from "./problem.ts";

/** The names of the client certificates of connections. */
export type CertificatesBySocket = WeakMap<Duplex, readonly string[]>;

/** How requests of one path become calls of a method, and how those are answered. */
export interface Door {
  readonly method: UnaryMethod;
  /** Of answers. */
  readonly mediaType: string;
  /** What the method sees for the values of Authorization: those of a Bearer credential. */
  authorizationOf(values: readonly string[]): readonly string[];
  refuse(reply: FastifyReply, answer: Problem): void;
}

export interface DoorParts {
  readonly certificates: CertificatesBySocket;
  readonly onInternalError: (error: unknown, path: string) => void;
}

const NO_NAMES: readonly string[] = [];

/** Handles requests so that the door's method gets all of an event-loop turn, after the last of them arrived. */
export function doorHandler(
  door: Door,
  parts: DoorParts,
): (request: FastifyRequest, reply: FastifyReply) => void {
  const { method } = door;
  let waiting: HttpCall[] = [];

  // Sockets are read before `setImmediate` callbacks run, so that one finds every call of the turn.
  const handleTurn = (): void => {
    const calls = waiting;
    waiting = [];
    try {
      method.handle(calls);
    } catch (error) {
      for (const call of calls) call.fail(internalFailure);
      parts.onInternalError(error, method.path);
    }
  };

  return (request, reply) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    let message: unknown;
    try {
      message = method.request.decode(body, 0, body.length);
    } catch (error) {
      if (!(error instanceof KeywardenError)) parts.onInternalError(error, method.path);
      door.refuse(reply, problemOfFailure(error instanceof KeywardenError ? error : internalFailure));
      return;
    }
    if (waiting.push(new HttpCall(request, reply, message, door, parts)) === 1) setImmediate(handleTurn);
  };
}

/** A request as a method's handler sees it. It has no deadline: its client says none. */
class HttpCall implements UnaryCall<unknown, unknown> {
  readonly request: unknown;
  readonly deadline = Number.POSITIVE_INFINITY;
  readonly #raw: FastifyRequest["raw"];
  readonly #reply: FastifyReply;
  readonly #door: Door;
  readonly #parts: DoorParts;
  #answered = false;

  constructor(request: FastifyRequest, reply: FastifyReply, message: unknown, door: Door, parts: DoorParts) {
    this.request = message;
    this.#raw = request.raw;
    this.#reply = reply;
    this.#door = door;
    this.#parts = parts;
  }

  get peer(): string {
    return this.#raw.socket.remoteAddress ?? "";
  }

  get certificateNames(): readonly string[] {
    return this.#parts.certificates.get(this.#raw.socket) ?? NO_NAMES;
  }

  metadata(name: string): readonly string[] {
    // Node keeps only the first of several under its usual name.
    const values = this.#raw.headersDistinct[name] ?? [];
    return name === "authorization" ? this.#door.authorizationOf(values) : values;
  }

  isOver(): boolean {
    return this.#answered || this.#raw.socket.destroyed;
  }

  reply(response: unknown): void {
    if (this.isOver()) return;
    const { method, mediaType } = this.#door;
    let bytes: Buffer;
    try {
      bytes = encodeMessage(method.response, response);
    } catch (error) {
      this.fail(internalFailure);
      this.#parts.onInternalError(error, method.path);
      return;
    }
    this.#answered = true;
    this.#reply.code(200).type(mediaType).send(bytes);
  }

  fail(failure: Failure): void {
    if (this.isOver()) return;
    this.#answered = true;
    this.#door.refuse(this.#reply, problemOfFailure(failure));
  }

  onCancel(callback: () => void): void {
    if (this.#answered) return;
    if (this.#raw.socket.destroyed) {
      callback();
      return;
    }
    this.#reply.raw.once("close", () => {
      if (!this.#answered) callback();
    });
  }
}
