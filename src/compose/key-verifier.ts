import { countedReads } from "../adapters/telemetry/counted-store.ts";
import type { Logger } from "../adapters/telemetry/logger.ts";
import { cacheWatch, type ThreadCounts } from "../adapters/telemetry/thread-counts.ts";
import { DecisionExplainer } from "../app/decision-explainer.ts";
import { FailureBudget } from "../app/failure-budget.ts";
import { FreshCache } from "../app/fresh-cache.ts";
import type { UsageMeter } from "../app/usage-meter.ts";
import { KeyVerifier } from "../app/verify-key.ts";
import type { Environment } from "../domain/api.ts";
import { digestToken } from "../domain/digest.ts";
import { compileKey, type KeyRecord } from "../domain/key.ts";
import type { Keyring } from "../domain/keyring.ts";
import type { FoundToken, Freshness, RenewedDigest, VerificationReads } from "../ports/store.ts";
import type { ServeSettings } from "../settings.ts";
import type { Ledgers } from "./ledgers.ts";

/** Unknown tokens that are remembered, apart from the keys. */
const UNKNOWN_TOKENS_KEPT = 16_384;

interface KeyVerifierParts {
  readonly reads: Freshness & VerificationReads;
  readonly keyring: Keyring;
  readonly ledgers: Ledgers;
  readonly settings: Pick<ServeSettings, "environment" | "failureBudget">;
  /** Keys kept in memory. */
  readonly cacheSize: number;
  readonly log: Logger;
  /** What the verifier's thread counts. */
  readonly counts: ThreadCounts;
  /** Counts what is decided. */
  readonly usage: UsageMeter;
  /** Told of each token that was read under a former pepper. */
  readonly onFormerDigest?: (renewed: RenewedDigest) => void;
}

interface KeyVerification {
  readonly verifier: KeyVerifier;
  /** Explains what the verifier decides. */
  readonly explainer: DecisionExplainer;
}

/** A verifier of its own for a thread, with its cache, which is as fresh as the store when this resolves. */
export async function openKeyVerifier(parts: KeyVerifierParts): Promise<KeyVerification> {
  const {
    reads,
    keyring,
    ledgers,
    settings,
    cacheSize,
    log,
    counts,
    usage,
    onFormerDigest = () => {},
  } = parts;
  const [{ id: pepperId }] = keyring.peppers;
  const cache = new FreshCache<KeyRecord>({
    store: countedReads(reads, counts),
    digestsOf: (hash) => keyring.peppers.map((pepper) => digestToken(hash, pepper)),
    compile: (found, hash) => {
      if (keyring.peppers.length > 1) {
        const to = digestToken(hash, keyring.peppers[0]);
        if (to !== found.digest) onFormerDigest({ from: found.digest, to, pepperId });
      }
      return compiled(found, log);
    },
    size: cacheSize,
    unknownSize: UNKNOWN_TOKENS_KEPT,
    watch: cacheWatch(counts),
  });
  await cache.ensureFresh();
  const engine = {
    cache,
    ledger: ledgers.limits,
    failures: new FailureBudget({ ledger: ledgers.failures, perMinute: settings.failureBudget }),
    environment: settings.environment as Environment | undefined,
    now: Date.now,
  };
  const onInternalError = (error: unknown) => log.error({ err: error }, "internal error");
  return {
    verifier: new KeyVerifier({ ...engine, usage, onInternalError }),
    explainer: new DecisionExplainer(engine),
  };
}

/** Null for a record that can't be trusted. */
function compiled({ key, generation }: FoundToken, log: Logger): KeyRecord | null {
  try {
    return compileKey(key, generation);
  } catch (error) {
    log.error({ err: error, keyId: key.id }, "a stored key cannot be read; its tokens are denied");
    return null;
  }
}
