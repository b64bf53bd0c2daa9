import type { CallerGate } from "../adapters/rpc/caller-admission.ts";
import type { Logger } from "../adapters/telemetry/logger.ts";
import type { ThreadCounts } from "../adapters/telemetry/thread-counts.ts";
import type { CertificateCallers } from "../adapters/tls/caller-file.ts";
import type { TlsIdentity } from "../adapters/tls/tls-identity.ts";
import { openTls, type TlsSource } from "../adapters/tls/tls-source.ts";
import type { ServeSettings } from "../settings.ts";

/**
 * What was last read of the files of TLS that could be used. A verification thread that takes another's place while the
 * files can't be serves with it, as the others do.
 */
export interface LastGood {
  readonly identity: TlsIdentity | undefined;
  readonly callers: CertificateCallers | undefined;
}

const NOTHING: LastGood = { identity: undefined, callers: undefined };

/** How the server is reached, kept up to date until it is closed. */
export interface TransportSecurity {
  /** Undefined: in plaintext. */
  readonly tls: TlsSource | undefined;
  /** Who may call the data plane. */
  readonly gate: CallerGate;
  readonly lastGood: LastGood;
  close(): void;
}

/**
 * Each thread has one of its own. Without what was good before it rejects with FAILED_PRECONDITION, as `openTls` and
 * `openCallerFile`. What reads the callers' file is loaded where there is one.
 */
export async function openTransportSecurity(
  { tls: files, tlsCallers: path, callersRequired: required }: ServeSettings,
  log: Logger,
  counts: ThreadCounts,
  before = NOTHING,
): Promise<TransportSecurity> {
  const tls =
    files &&
    openTls({
      files,
      now: Date.now,
      fallback: before.identity,
      onTlsReloaded: ({ names, expireTime }) => {
        const expires = new Date(expireTime);
        counts.add("tlsLoaded");
        counts.set("tlsExpireTime", expireTime / 1000);
        log.info({ names, expires }, "new connections get the certificate that was put there");
      },
      onTlsProblem: ({ reason, message }) => {
        counts.add("tlsRefused");
        log.error({ reason }, `the certificate from before stays in use: ${message}`);
      },
      onTlsRefused: (why, peer) =>
        log.debug({ why, peer }, "a connection got no further than its TLS handshake"),
    });
  if (tls !== undefined) counts.set("tlsExpireTime", tls.identity.expireTime / 1000);
  const source =
    path === undefined
      ? undefined
      : (await import("../adapters/tls/certificate-callers.ts")).openCallerFile({
          path,
          fallback: before.callers,
          onCallersReloaded: (callers) =>
            log.info({ callers }, "the callers that were put there count from now on"),
          onCallersProblem: ({ reason, message }) =>
            log.error({ reason }, `the callers from before still count: ${message}`),
        });
  return {
    tls,
    gate: { required, callerOf: (names) => source?.callerOf(names) },
    get lastGood() {
      return { identity: tls?.identity, callers: source?.callers };
    },
    close() {
      tls?.close();
      source?.close();
    },
  };
}
