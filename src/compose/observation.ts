import { listen } from "../adapters/grpc/listener.ts";
import { type Readiness, startAdminHttp } from "../adapters/http/admin-http.ts";
import { type Admit, credentialGate } from "../adapters/http/credential-gate.ts";
import type { Logger } from "../adapters/telemetry/logger.ts";
import { sampleEventLoop } from "../adapters/telemetry/loop-sampler.ts";
import type { Metrics } from "../adapters/telemetry/metrics.ts";
import type { TlsSource } from "../adapters/tls/tls-source.ts";
import type { KeyVerifier } from "../app/verify-key.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import { isLoopback } from "../settings/values.ts";
import type { ServeSettings } from "../settings.ts";
import { openTraces, type Traces } from "./traces.ts";

interface ObservationParts {
  readonly settings: ServeSettings;
  /** Undefined: in plaintext. */
  readonly tls: TlsSource | undefined;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** What tells those who run the server how it is, from before it serves until after it has. */
export interface Observation {
  /** The main thread's. */
  readonly traces: Traces;
  /** Where metrics and health are, as `host:port`; undefined: nowhere. */
  readonly adminHttp: string | undefined;
  /** Whether metrics are shown only to who has a credential, which a verifier has to decide on. */
  readonly asksForCredentials: boolean;
  /** From now on this verifier decides on credentials. */
  admitBy(verifier: KeyVerifier): void;
  /** Ready from now on, whenever all planes serve. */
  ready(doServe: () => boolean): void;
  /** Not ready any more. */
  draining(): void;
  close(graceMs: number): Promise<void>;
}

/** Takes the port of `--admin-http`. Rejects with FAILED_PRECONDITION: PORT_IN_USE, CANNOT_LISTEN. */
export async function openObservation({
  settings,
  tls,
  metrics,
  log,
}: ObservationParts): Promise<Observation> {
  const place = settings.adminHttp;
  const asksForCredentials = place !== null && !isLoopback(place);
  let admit: Admit = notYet;
  let readiness: () => Readiness = () => "starting";
  const listener = place && (await listen({ ...place, setting: "--admin-http" }));
  const traces = await openTraces(settings, "main", log);
  const http =
    listener &&
    (await startAdminHttp({
      listener,
      tls: tls && { terminator: (accept) => tls.terminator(accept, "http/1.1") },
      readiness: () => readiness(),
      exposition: () => metrics.exposition(),
      admit: asksForCredentials ? (...asked) => admit(...asked) : undefined,
      onInternalError: (error, path) => log.error({ err: error, path }, "internal error"),
      watch: traces.traceHttp,
    }));
  const stopSampling = sampleEventLoop(metrics.main);
  return {
    traces,
    adminHttp: http?.address,
    asksForCredentials,
    admitBy(verifier) {
      admit = credentialGate(verifier.verifyOne.bind(verifier));
    },
    ready(doServe) {
      readiness = () => (doServe() ? "serving" : "starting");
    },
    draining() {
      readiness = () => "draining";
    },
    async close(graceMs) {
      stopSampling();
      await http?.close(graceMs);
      await traces.close(graceMs);
    },
  };
}

const notYet: Admit = async () => {
  throw new KeywardenError({
    status: "UNAVAILABLE",
    reason: "STARTING",
    message: "credentials can't be checked yet: the server is starting",
  });
};
