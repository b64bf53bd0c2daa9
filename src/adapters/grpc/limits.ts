/** What one server accepts. A limit that grpc-js cannot set is Node's own: 64 KiB and 128 fields of metadata a call. */
export interface GrpcLimits {
  /** Bytes of one request message; a longer one gets RESOURCE_EXHAUSTED. */
  readonly maxRequestBytes: number;
  /** Open connections; further ones are closed at once. */
  readonly maxConnections: number;
  /** Open calls on one connection; further ones are refused unprocessed, so that a client may retry them. */
  readonly maxConcurrentStreams: number;
  /** Megabytes that Node's HTTP/2 layer holds for one connection (headers, unsent replies) before it refuses new calls. */
  readonly maxSessionMemoryMb: number;
  /** Messages of a streaming call that its client has not read yet; one more gets RESOURCE_EXHAUSTED. */
  readonly maxUnsentMessages: number;
  /** Milliseconds (± 10 %) after which a connection is asked to go away. */
  readonly maxConnectionAgeMs: number;
  /** Milliseconds that the calls of such a connection have to finish. */
  readonly maxConnectionAgeGraceMs: number;
  /** Milliseconds without traffic before the peer is pinged. */
  readonly keepaliveTimeMs: number;
  /** Milliseconds that the peer has to answer the ping. */
  readonly keepaliveTimeoutMs: number;
}

/** For callers that verify: many connections, small messages. */
export const dataPlaneLimits: GrpcLimits = {
  // A batch of 100 with the longest tokens and scope expressions in use is below half of it.
  maxRequestBytes: 64 * 1024,
  // Above any real fleet of backends; below the usual limit of open files.
  maxConnections: 10_000,
  // Envoy opens up to 1,024 streams before it has seen our limit: a lower one would fail its calls.
  maxConcurrentStreams: 1024,
  // Thousands of usual replies fit; a client that never reads them gets no more calls in.
  maxSessionMemoryMb: 64,
  // A watcher gets a few messages in its life; one that is this far behind does not read at all.
  maxUnsentMessages: 64,
  // Spreads long-lived clients over new servers within the hour; rare enough that a retried call is no cost.
  maxConnectionAgeMs: 3_600_000,
  maxConnectionAgeGraceMs: 60_000,
  // A dead peer's calls are freed after 80 s; one ping a minute costs nothing.
  keepaliveTimeMs: 60_000,
  keepaliveTimeoutMs: 20_000,
};

/** For people and their tools: few connections, larger messages (an import of many keys). */
export const adminPlaneLimits: GrpcLimits = {
  ...dataPlaneLimits,
  maxRequestBytes: 4 * 1024 * 1024,
  maxConnections: 256,
  maxConcurrentStreams: 128,
};
