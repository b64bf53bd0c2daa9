import type { Failure, UnaryCall } from "../../ports/transport.ts";

/** Told once how a call ends, right before it does. */
export interface Watch {
  replied(response: unknown): void;
  failed(failure: Failure): void;
}

/** A call as its handler sees it, while somebody watches how it ends. */
export class WatchedCall implements UnaryCall<unknown, unknown> {
  readonly request: unknown;
  readonly #call: UnaryCall<unknown, unknown>;
  readonly #watch: Watch;
  /** Empty: the client's own, if it has sent one. */
  readonly #requestId: string;
  #ended = false;

  constructor(call: UnaryCall<unknown, unknown>, watch: Watch, requestId = "") {
    this.request = call.request;
    this.#call = call;
    this.#watch = watch;
    this.#requestId = requestId;
  }

  get deadline(): number {
    return this.#call.deadline;
  }

  get peer(): string {
    return this.#call.peer;
  }

  get certificateNames(): readonly string[] {
    return this.#call.certificateNames;
  }

  metadata(name: string): readonly string[] {
    return this.#requestId !== "" && name === REQUEST_ID ? [this.#requestId] : this.#call.metadata(name);
  }

  isOver(): boolean {
    return this.#call.isOver();
  }

  reply(response: unknown): void {
    if (!this.#ended) {
      this.#ended = true;
      this.#watch.replied(response);
    }
    this.#call.reply(response);
  }

  fail(failure: Failure): void {
    if (!this.#ended) {
      this.#ended = true;
      this.#watch.failed(failure);
    }
    this.#call.fail(failure);
  }

  onCancel(callback: () => void): void {
    this.#call.onCancel(callback);
  }
}

/** The metadata field that names a call. */
export const REQUEST_ID = "x-request-id";
