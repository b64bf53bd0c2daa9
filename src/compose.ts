import { createHmac, createSecretKey, randomBytes } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import { loadPepper } from "./adapters/files/pepper-file.ts";
import { writePrivateFile } from "./adapters/files/private-file.ts";
import { createHealth } from "./adapters/grpc/health.ts";
import { adminPlaneLimits, dataPlaneLimits } from "./adapters/grpc/limits.ts";
import { listen } from "./adapters/grpc/listener.ts";
import { reflectionMethods } from "./adapters/grpc/reflection.ts";
import { startGrpcServer } from "./adapters/grpc/server.ts";
import { adminMethods } from "./adapters/rpc/admin-service.ts";
import { requireScope } from "./adapters/rpc/required-scope.ts";
import { verifyMethods } from "./adapters/rpc/verify-service.ts";
import { openSqliteStore } from "./adapters/sqlite/sqlite-store.ts";
import { createLogger, type Logger } from "./adapters/telemetry/logger.ts";
import type { AdminParts } from "./app/admin-parts.ts";
import { bootstrap } from "./app/bootstrap.ts";
import { FreshCache } from "./app/fresh-cache.ts";
import { LimitLedger } from "./app/limit-ledger.ts";
import { PageTokens } from "./app/page-tokens.ts";
import { KeyVerifier } from "./app/verify-key.ts";
import { BUILT_IN_API, type Environment } from "./domain/api.ts";
import { digestToken, type Pepper } from "./domain/digest.ts";
import { compileKey, type KeyId, type KeyRecord } from "./domain/key.ts";
import { Health } from "./gen/grpc/health/v1/health_pb.ts";
import { AdminService } from "./gen/keywarden/v1/admin_service_pb.ts";
import { VerifyService } from "./gen/keywarden/v1/verify_service_pb.ts";
import type { FoundToken, Store } from "./ports/store.ts";
import type { ServeSettings } from "./settings.ts";

/** A server that serves. */
export interface RunningServer {
  /** Where it listens, as `host:port`; a plane that is off is not there. */
  readonly addresses: { readonly grpc?: string; readonly adminGrpc?: string };
  /** Drains and stops; safe to call again. */
  stop(): void;
  /** Resolves once everything is closed, with whether it had to stop by itself. */
  readonly stopped: Promise<{ readonly failed: boolean }>;
}

/** Where a test may put something between the store and its users. */
export interface Seams {
  readonly wrapStore?: (store: Store) => Store;
}

/** Unknown tokens that are remembered, apart from the keys. */
const UNKNOWN_TOKENS_KEPT = 16_384;

/** Builds everything, top to bottom, and starts it. Rejects with a KeywardenError that says why it can't. */
export async function serve(settings: ServeSettings, seams: Seams = {}): Promise<RunningServer> {
  const log = createLogger({ level: settings.logLevel, format: settings.logFormat });
  const ending = Promise.withResolvers<{ readonly failed: boolean }>();
  /** What is open, in the order in which it was opened. */
  const open: { close(graceMs: number): Promise<void> }[] = [];
  const closeAll = async (graceMs: number): Promise<void> => {
    for (const part of open.splice(0).toReversed()) await part.close(graceMs);
  };
  try {
    // The ports first: a second start names the port that is taken, and touches nothing.
    const listeners = {
      grpc: settings.grpc && (await listen({ ...settings.grpc, setting: "--grpc" })),
      adminGrpc: settings.adminGrpc && (await listen({ ...settings.adminGrpc, setting: "--admin-grpc" })),
    };
    open.push(...Object.values(listeners).filter((listener) => listener !== null));
    const sqlite = await openSqliteStore({
      path: settings.store.file,
      now: Date.now,
      onCorruptRow: (error) => log.error({ err: error }, "a stored row cannot be read; its token is denied"),
      onWriterFailure: (error) => {
        log.fatal({ err: error }, "the writer has failed: stopping, as nothing can be changed any more");
        ending.resolve({ failed: true });
      },
    });
    const store = seams.wrapStore?.(sqlite) ?? sqlite;
    open.push(store);
    const { parts, verifier } = await openAuthority(settings, store, log);

    const onInternalError = (error: unknown, path: string) =>
      log.error({ err: error, path }, "internal error");
    const planes = [
      listeners.grpc && {
        listener: listeners.grpc,
        limits: dataPlaneLimits,
        service: VerifyService,
        methods: verifyMethods((group) => verifier.verify(group)),
      },
      listeners.adminGrpc && {
        listener: listeners.adminGrpc,
        limits: adminPlaneLimits,
        service: AdminService,
        methods: adminMethods(parts, onInternalError).map((method) =>
          requireScope(method, (request) => verifier.verifyOne(request)),
        ),
      },
    ].filter((plane) => plane !== null);
    const servers = planes.map(({ listener, limits, service, methods }) => {
      const health = createHealth([service.typeName]);
      const all = [...methods, ...health.methods, ...reflectionMethods([service, Health])];
      return { health, ...startGrpcServer({ listener, methods: all, limits, onInternalError }) };
    });
    open.push({
      close: async (graceMs) => void (await Promise.all(servers.map(({ drain }) => drain(graceMs)))),
    });
    for (const { health } of servers) health.set(true);

    const addresses = {
      ...(listeners.grpc && { grpc: listeners.grpc.address }),
      ...(listeners.adminGrpc && { adminGrpc: listeners.adminGrpc.address }),
    };
    const { file } = settings.store;
    log.info({ ...addresses, store: file, environment: settings.environment ?? "by request" }, "serving");
    log.info(`next: ${await nextCommand(store)}`);
    const stopped = ending.promise.then(async (outcome) => {
      log.info("draining");
      for (const { health } of servers) health.shutDown();
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

/** What somebody who has just started it will want to type. */
async function nextCommand(store: Store): Promise<string> {
  const apis = await store.listApis("", 2);
  const own = apis.find(({ id }) => id !== BUILT_IN_API);
  return own === undefined
    ? "npx keywarden api apply -f examples/connect2print.yaml"
    : `npx keywarden key create --api ${own.id} --environment ${own.environments[0]} --owner <whose it is>`;
}

/** The use cases over a store, with its pepper loaded and its first credential made. */
async function openAuthority(
  settings: ServeSettings,
  store: Store,
  log: Logger,
): Promise<{ parts: AdminParts; verifier: KeyVerifier }> {
  const pepper = loadPepper(settings.pepperFile, await store.pepperIds());
  const parts: AdminParts = {
    store,
    pepper,
    pageTokens: new PageTokens(derivedKey(pepper, "page tokens")),
    now: Date.now,
    randomBytes,
    newKeyId: () => uuidv7() as KeyId,
  };
  await bootstrap(parts, (token) => {
    writePrivateFile(settings.adminTokenFile, `${token.reveal()}\n`);
    log.info({ file: settings.adminTokenFile }, "wrote the first admin token");
  });
  const cache = new FreshCache<KeyRecord>({
    store,
    digestsOf: (hash) => [digestToken(hash, pepper)],
    compile: (found) => compiled(found, log),
    size: settings.cacheSize,
    unknownSize: UNKNOWN_TOKENS_KEPT,
  });
  await cache.ensureFresh();
  const verifier = new KeyVerifier({
    cache,
    ledger: new LimitLedger(),
    environment: settings.environment as Environment | undefined,
    now: Date.now,
    onInternalError: (error) => log.error({ err: error }, "internal error"),
  });
  return { parts, verifier };
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

/** A key for one purpose that no other purpose can use (HMAC as a KDF, as the pepper is uniformly random). */
function derivedKey(pepper: Pepper, purpose: string) {
  return createSecretKey(createHmac("sha256", pepper.key).update(`keywarden ${purpose}`).digest());
}
