import { listen } from "./adapters/grpc/listener.ts";
import { loadKeyring } from "./adapters/secrets/load-keyring.ts";
import type { SealingProgress } from "./adapters/sqlite/secret-rotation.ts";
import { openSqliteStore, type SqliteStore } from "./adapters/sqlite/sqlite-store.ts";
import { countedStore } from "./adapters/telemetry/counted-store.ts";
import type { Logger } from "./adapters/telemetry/logger.ts";
import { Metrics } from "./adapters/telemetry/metrics.ts";
import { giveWay, niceness } from "./adapters/threads/niceness.ts";
import { UsageFlush } from "./app/usage-flush.ts";
import { startAdminServer } from "./compose/admin-server.ts";
import { openAuditWatch } from "./compose/audit-watch.ts";
import { openAuthority } from "./compose/authority.ts";
import { openKeyVerifier } from "./compose/key-verifier.ts";
import { createLedgerMemories, openLedgers } from "./compose/ledgers.ts";
import { openLog } from "./compose/log.ts";
import { openObservation } from "./compose/observation.ts";
import { onRefusedRow } from "./compose/refused-row.ts";
import { openTransportSecurity } from "./compose/transport-security.ts";
import { openUsage } from "./compose/usage.ts";
import type { ByListener } from "./compose/verification-messages.ts";
import { VerificationThreads } from "./compose/verification-threads.ts";
import { version } from "./compose/version.ts";
import { BUILT_IN_API } from "./domain/api.ts";
import type { Keyring } from "./domain/keyring.ts";
import { KeywardenError } from "./domain/keywarden-error.ts";
import type { RenewedDigest, Store } from "./ports/store.ts";
import type { ServeSettings } from "./settings.ts";

/** A server that serves. */
export interface RunningServer {
  /** Where it listens, as `host:port`; a plane that is off is not there. */
  readonly addresses: ByListener<string> & { readonly adminGrpc?: string; readonly adminHttp?: string };
  /** Drains and stops; safe to call again. */
  stop(): void;
  /** Resolves once everything is closed, with whether it had to stop by itself. */
  readonly stopped: Promise<{ readonly failed: boolean }>;
}

/** Where a test may put something in between. */
export interface Seams {
  /** The URL of a module with a `VerificationSeam`, which each verification thread imports. */
  readonly verification?: string;
}

/** Keys of the built-in API that the admin plane keeps in memory. */
const CREDENTIALS_KEPT = 1_000;

/** Builds everything, top to bottom, and starts it. Rejects with a KeywardenError that says why it can't. */
export async function serve(settings: ServeSettings, seams: Seams = {}): Promise<RunningServer> {
  const ending = Promise.withResolvers<{ readonly failed: boolean }>();
  /** What is open, in the order in which it was opened. */
  const open: { close(graceMs: number): Promise<void> }[] = [];
  const closeAll = async (graceMs: number): Promise<void> => {
    for (const part of open.splice(0).toReversed()) await part.close(graceMs);
  };
  const fail = () => ending.resolve({ failed: true });
  const ownNiceness = niceness();
  const ledgerMemories = createLedgerMemories();
  const metrics = new Metrics({ version, ledgers: { ...ledgerMemories } });
  const log = openLog(settings, metrics.main);
  let owners = 0;
  const newOwner = () => ++owners;
  const ledgers = openLedgers(ledgerMemories, newOwner(), log);
  try {
    // What can't be read is refused before anything is touched. Each verification thread then reads it for itself.
    const security = await openTransportSecurity(settings, log, metrics.main);
    open.push({ close: async () => security.close() });
    // The ports before the store: a second start names the port that is taken, and touches nothing.
    const threads =
      (settings.grpc ?? settings.http) &&
      new VerificationThreads({
        places: {
          ...(settings.grpc && { grpc: settings.grpc }),
          ...(settings.http && { http: settings.http }),
        },
        count: workersOf(settings, log),
        start: () => ({
          niceness: ownNiceness,
          settings,
          lastGood: security.lastGood,
          ledgers: ledgerMemories,
          seam: seams.verification,
        }),
        countsOf: (worker) => metrics.threadMemory(worker),
        onReplaced: () => metrics.workerRestarted(),
        newOwner,
        release: (owner) => {
          for (const ledger of Object.values(ledgers)) ledger.releaseLocksOf(owner, Date.now());
        },
        onFailure: fail,
        log,
      });
    if (threads !== null) open.push(threads);
    const dataAddresses = await threads?.listen();
    const listener = settings.adminGrpc && (await listen({ ...settings.adminGrpc, setting: "--admin-grpc" }));
    if (listener !== null) open.push(listener);
    const observation = await openObservation({ settings, tls: security.tls, metrics, log });
    open.push(observation);

    const { store, keyring, onForeignWrite } = await openStore(settings, metrics, log, fail);
    open.push(store);
    const usage = openUsage(settings, store, metrics.main, log);
    open.push(usage);
    const ownUsage = new UsageFlush(settings.usageFlush, (batch) => usage.add(batch));
    open.push({ close: async () => ownUsage.close() });
    const authority = await openAuthority(settings, store, keyring, log);
    const watch = await openAuditWatch(authority, onForeignWrite, metrics.main, log);
    open.push({ close: async () => watch.close() });
    const needsEngine = listener !== null || observation.asksForCredentials;
    const engine = needsEngine
      ? await openKeyVerifier({
          reads: store,
          keyring,
          ledgers,
          settings,
          cacheSize: CREDENTIALS_KEPT,
          log,
          counts: metrics.main,
          usage: ownUsage.meter,
          onFormerDigest: (renewed) => void redigest(store, [renewed], log),
        })
      : null;
    if (engine !== null) observation.admitBy(engine.verifier);
    const { tls } = security;
    const { traces } = observation;
    const admin =
      listener && engine && startAdminServer({ listener, tls, authority, ...engine, metrics, traces, log });
    // Together, and before the store: each has calls to finish that read it.
    const close = async (graceMs: number) =>
      void (await Promise.all([threads?.close(graceMs), admin?.close(graceMs)]));
    open.push({ close });
    await threads?.serve(keyring, (report) => {
      if (report.kind === "usage") usage.add(report.batch);
      else void redigest(store, report.tokens, log);
    });
    giveWay(ownNiceness);
    admin?.open();
    observation.ready(() => threads?.isServing !== false);
    // Not before: it takes as much of a core as others leave.
    watch.start();

    const { adminHttp } = observation;
    const addresses = {
      ...dataAddresses,
      ...(listener && { adminGrpc: listener.address }),
      ...(adminHttp !== undefined && { adminHttp }),
    };
    const { file } = settings.store;
    log.info({ ...addresses, store: file, environment: settings.environment ?? "by request" }, "serving");
    log.info(`next: ${await nextCommand(store)}`);
    const stopped = ending.promise.then(async (outcome) => {
      log.info("draining");
      observation.draining();
      await closeAll(settings.drainGrace);
      log.info("stopped");
      return outcome;
    });
    return { addresses, stopped, stop: () => ending.resolve({ failed: false }) };
  } catch (error) {
    await closeAll(0);
    throw error;
  }
}

/** Only where the system deals out the connections to one port among the sockets that have it. */
function workersOf({ workers }: ServeSettings, log: Logger): number {
  if (workers === 1 || process.platform === "linux" || process.platform === "freebsd") return workers;
  log.warn({ workers }, "this system can't share a port among threads: one thread verifies");
  return 1;
}

/** Tokens that were met under a former pepper get the current one. What can't be done now is done when they are met again. */
async function redigest(store: Store, tokens: readonly RenewedDigest[], log: Logger): Promise<void> {
  try {
    const count = await store.redigest(tokens);
    log.info({ count }, "put the current pepper in place of a former one for tokens that were used");
  } catch (error) {
    log.warn({ err: error }, "tokens that were used stay under a former pepper for now");
  }
}

/** Tells each tenth of the way. */
function logSealing(log: Logger): (progress: SealingProgress | undefined) => void {
  let tenth = -1;
  return (progress) => {
    if (progress === undefined) {
      log.info("every record is sealed with the current seal key");
      return;
    }
    const { looked, total } = progress;
    const reached = Math.floor((10 * looked) / Math.max(total, 1));
    if (reached === tenth) return;
    tenth = reached;
    log.info({ looked, total }, `sealing records with the current seal key: ${10 * reached} %`);
  };
}

async function openStore(
  settings: ServeSettings,
  metrics: Metrics,
  log: Logger,
  onFailure: () => void,
): Promise<{ store: Store; keyring: Keyring; onForeignWrite: SqliteStore["onForeignWrite"] }> {
  let keyring: Keyring | undefined;
  const store = await openSqliteStore({
    path: settings.store.file,
    unlock: async (used) => {
      keyring = await loadKeyring(settings, used);
      return keyring.sealKeys;
    },
    now: Date.now,
    onRefusedRow: onRefusedRow(log, metrics.main),
    onSealing: logSealing(log),
    onWriterFailure: (error) => {
      log.fatal({ err: error }, "the writer has failed: stopping, as nothing can be changed any more");
      onFailure();
    },
  });
  if (keyring === undefined) throw new Error("the store was opened without its secrets");
  metrics.reached((await store.auditHead()).revision);
  const { onForeignWrite } = store;
  return { store: countedStore(store, metrics), keyring, onForeignWrite };
}

/** What somebody who has just started it will want to type. */
async function nextCommand(store: Store): Promise<string> {
  const apis = await store.listApis("", 2).catch((error: unknown) => {
    // Some API was edited behind our back: the others are served all the same.
    if (error instanceof KeywardenError) return undefined;
    throw error;
  });
  if (apis === undefined) return "npx keywarden doctor";
  const own = apis.find(({ id }) => id !== BUILT_IN_API);
  return own === undefined
    ? "npx keywarden api apply -f examples/connect2print.yaml"
    : `npx keywarden key create --api ${own.id} --environment ${own.environments[0]} --owner <whose it is>`;
}
