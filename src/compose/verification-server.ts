import { createHealth } from "../adapters/grpc/health.ts";
import { dataPlaneLimits } from "../adapters/grpc/limits.ts";
import type { Listener } from "../adapters/grpc/listener.ts";
import { reflectionMethods } from "../adapters/grpc/reflection.ts";
import { startGrpcServer } from "../adapters/grpc/server.ts";
import type { ServedApp } from "../adapters/http/http-app.ts";
import type { Verify } from "../adapters/rpc/caller-admission.ts";
import { verifyMethods } from "../adapters/rpc/verify-service.ts";
import { openVerificationReader } from "../adapters/sqlite/verification-reader.ts";
import { sampleEventLoop } from "../adapters/telemetry/loop-sampler.ts";
import { metered } from "../adapters/telemetry/metered.ts";
import { ThreadCounts } from "../adapters/telemetry/thread-counts.ts";
import { UsageFlush } from "../app/usage-flush.ts";
import type { Keyring } from "../domain/keyring.ts";
import type { UsageBatch } from "../domain/usage.ts";
import { Authorization } from "../gen/envoy/service/auth/v3/external_auth_pb.ts";
import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import { VerifyService } from "../gen/keywarden/v1/verify_service_pb.ts";
import type { Freshness, RenewedDigest, VerificationReads } from "../ports/store.ts";
import { checkDoor } from "./check-door.ts";
import { FormerDigests } from "./former-digests.ts";
import { openKeyVerifier } from "./key-verifier.ts";
import { openLedgers } from "./ledgers.ts";
import { openLog } from "./log.ts";
import { onRefusedRow } from "./refused-row.ts";
import { openTraces } from "./traces.ts";
import { openTransportSecurity } from "./transport-security.ts";
import type { VerificationHttpParts } from "./verification-http.ts";
import type { ByListener, VerificationOptions } from "./verification-messages.ts";

/** Where a test may put something between the store and a thread's cache: what a module exports. */
export interface VerificationSeam {
  wrapReads(reads: Freshness & VerificationReads): Freshness & VerificationReads;
}

export interface VerificationServer {
  /** Serves nobody new, gives open calls so many milliseconds, and closes what it has opened. */
  close(graceMs: number): Promise<void>;
}

/** Opens the store for reading and serves the data plane on what the listeners have taken. */
export async function startVerificationServer(
  options: VerificationOptions & {
    readonly keyring: Keyring;
    readonly listeners: ByListener<Listener>;
    /** Gets tokens that were met under a former pepper. */
    readonly onFormerDigests: (tokens: readonly RenewedDigest[]) => void;
    /** Gets what was counted, from time to time. */
    readonly onUsage: (batch: UsageBatch) => void;
  },
): Promise<VerificationServer> {
  const { worker, owner, settings, lastGood, ledgers, seam, keyring, listeners } = options;
  const counts = new ThreadCounts(options.counts);
  const log = openLog(settings, counts).child({ worker });
  const traces = await openTraces(settings, String(worker), log);
  const security = await openTransportSecurity(settings, log, counts, lastGood);
  const reader = openVerificationReader({
    path: settings.store.file,
    sealKeys: keyring.sealKeys,
    onRefusedRow: onRefusedRow(log, counts),
  });
  const reads = seam === undefined ? reader : (await seamOf(seam)).wrapReads(reader);
  const former = new FormerDigests(options.onFormerDigests);
  const usage = new UsageFlush(settings.usageFlush, options.onUsage);
  const { verifier } = await openKeyVerifier({
    reads,
    keyring,
    ledgers: openLedgers(ledgers, owner, log),
    settings,
    cacheSize: settings.cacheSize,
    log,
    counts,
    usage: usage.meter,
    onFormerDigest: (renewed) => former.add(renewed),
  });
  let verifications = 0;
  const verify: Verify = (group) => {
    verifications += group.length;
    verifier.verify(group);
  };
  const methods = verifyMethods(verify, security.gate);
  const observed = traces
    .trace(methods)
    .map((method) =>
      metered(method, method.path.endsWith("/BatchVerifyKeys") ? "grpc_batch" : "grpc", counts),
    );
  const check = checkDoor({ verify, gate: security.gate, settings, counts, traces, log });
  const stopSampling = sampleEventLoop(counts);
  const health = createHealth([VerifyService.typeName, Authorization.typeName]);
  const grpc =
    listeners.grpc &&
    startGrpcServer({
      listener: listeners.grpc,
      methods: [
        ...observed,
        ...check,
        ...health.methods,
        ...reflectionMethods([VerifyService, Authorization, Health]),
      ],
      limits: dataPlaneLimits,
      tls: security.tls,
      onInternalError: (error, path) => log.error({ err: error, path }, "internal error"),
    });
  const http =
    listeners.http &&
    (await startHttp({ listener: listeners.http, settings, security, verify, counts, traces, log }));
  health.set(true);
  return {
    async close(graceMs) {
      health.shutDown();
      await Promise.all([grpc?.drain(graceMs), http?.close(graceMs)]);
      usage.close();
      security.close();
      reader.close();
      stopSampling();
      await traces.close(graceMs);
      log.info({ verifications }, "stopped verifying");
    },
  };
}

/** What serves HTTP is loaded where somebody listens for it. */
async function startHttp(parts: VerificationHttpParts): Promise<ServedApp> {
  return (await import("./verification-http.ts")).startVerificationHttp(parts);
}

async function seamOf(module: string): Promise<VerificationSeam> {
  return import(module);
}
