import type { Deadline, Metadata } from "@grpc/grpc-js";

/** What the calls of every kind have in grpc-js, which does not export its name for it. */
interface ServerCall {
  readonly cancelled: boolean;
  readonly metadata: Metadata;
  getPeer(): string;
  getDeadline(): Deadline;
}

interface CancellableCall {
  readonly cancelled: boolean;
  once(event: "cancelled", listener: () => void): unknown;
}

/** The names of the client certificates of open connections, by their peers' address and port. */
export type CertificatesByPeer = ReadonlyMap<string, readonly string[]>;

const NO_NAMES: readonly string[] = [];

/** grpc-js reads a peer's certificate anew for each call that asks, which takes 100 µs. */
export function certificateNames(call: ServerCall, certificates: CertificatesByPeer): readonly string[] {
  return certificates.size === 0 ? NO_NAMES : (certificates.get(call.getPeer()) ?? NO_NAMES);
}

/** The peer's address without its port; empty if the connection is gone. */
export function peerAddress(call: ServerCall): string {
  const peer = call.getPeer();
  return peer === "unknown" ? "" : peer.slice(0, peer.lastIndexOf(":"));
}

export function metadataValues(call: ServerCall, name: string): readonly string[] {
  return call.metadata.get(name).filter((value) => typeof value === "string");
}

/** Milliseconds since the epoch, or Infinity. */
export function deadlineOf(call: ServerCall): number {
  const deadline = call.getDeadline();
  return typeof deadline === "number" ? deadline : deadline.getTime();
}

/**
 * True if grpc-js has ended the call, or is about to: its deadline timer may be late, but what is sent to a client
 * after the deadline comes too late all the same.
 */
export function isCancelled(call: ServerCall, deadline: number): boolean {
  return call.cancelled || (deadline !== Number.POSITIVE_INFINITY && Date.now() >= deadline);
}

/** Calls back once if the call is cancelled before it `isDone`: at once if it is already. */
export function whenCancelled(call: CancellableCall, isDone: () => boolean, callback: () => void): void {
  if (isDone()) {
    return;
  }
  if (call.cancelled) {
    callback();
    return;
  }
  // grpc-js also says "cancelled" when an answered call is done.
  call.once("cancelled", () => {
    if (!isDone()) {
      callback();
    }
  });
}
