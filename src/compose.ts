import { createHmac, createSecretKey, randomBytes } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import { loadPepper } from "./adapters/files/pepper-file.ts";
import { writePrivateFile } from "./adapters/files/private-file.ts";
import { createHealth } from "./adapters/grpc/health.ts";
import { adminPlaneLimits, dataPlaneLimits } from "./adapters/grpc/limits.ts";
import { reflectionMethods } from "./adapters/grpc/reflection.ts";
import { startGrpcServer } from "./adapters/grpc/server.ts";
import { adminMethods } from "./adapters/rpc/admin-service.ts";
import { requireScope } from "./adapters/rpc/required-scope.ts";
import { verifyMethods } from "./adapters/rpc/verify-service.ts";
import { openSqliteStore } from "./adapters/sqlite/sqlite-store.ts";
import { createLogger } from "./adapters/telemetry/logger.ts";
import type { AdminParts } from "./app/admin-parts.ts";
import { bootstrap } from "./app/bootstrap.ts";
import { FreshCache } from "./app/fresh-cache.ts";
import { LimitLedger } from "./app/limit-ledger.ts";
import { PageTokens } from "./app/page-tokens.ts";
import { KeyVerifier } from "./app/verify-key.ts";
import type { Environment } from "./domain/api.ts";
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
  const now = () => Date.now();
  const onInternalError = (error: unknown, path?: string) => log.error({ err: error, path }, "internal error");

  const stopping = Promise.withResolvers<{ readonly failed: boolean }>();
  const opened = await openSqliteStore({
    path: settings.store.file,
    now,
    onWriterFailure: (error) => {
      log.fatal({ err: error }, "the writer has failed; stopping, as nothing could be changed any more");
      stopping.resolve({ failed: true });
    },
    onCorruptRow: (error) => log.error({ err: error }, "a stored row cannot be read; its token is denied"),
  });
  const store = seams.wrapStore?.(opened) ?? opened;

  try {
    const pepper = loadPepper(settings.pepperFile, await store.pepperIds());
    const parts: AdminParts = {
      store,
      pepper,
      pageTokens: new PageTokens(derivedKey(pepper, "page tokens")),
      now,
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
    const verifier = new KeyVerifier({
      cache,
      ledger: new LimitLedger(),
      environment: settings.environment as Environment | undefined,
      now,
      onInternalError,
    });
    await cache.ensureFresh();

    const health = { data: createHealth([VerifyService.typeName]), admin: createHealth([AdminService.typeName]) };
    const data =
      settings.grpc &&
      (await startGrpcServer({
        ...settings.grpc,
        setting: "--grpc",
        methods: [
          ...verifyMethods((group) => verifier.verify(group)),
          ...health.data.methods,
          ...reflectionMethods([VerifyService, Health]),
        ],
        limits: dataPlaneLimits,
        onInternalError,
      }));
    const admin =
      settings.adminGrpc &&
      (await startGrpcServer({
        ...settings.adminGrpc,
        setting: "--admin-grpc",
        methods: [
          ...adminMethods(parts, onInternalError).map((method) =>
            requireScope(method, (request) => verifier.verifyOne(request)),
          ),
          ...health.admin.methods,
          ...reflectionMethods([AdminService, Health]),
        ],
        limits: adminPlaneLimits,
        onInternalError,
      }).catch(async (error) => {
        await data?.drain(0);
        throw error;
      }));
    for (const plane of Object.values(health)) plane.set(true);

    const addresses = {
      ...(data && { grpc: data.address }),
      ...(admin && { adminGrpc: admin.address }),
    };
    log.info({ ...addresses, store: settings.store.file, environment: settings.environment ?? "by request" }, "serving");

    const stopped = stopping.promise.then(async (outcome) => {
      log.info("draining");
      for (const plane of Object.values(health)) plane.shutDown();
      await Promise.all([data?.drain(settings.drainGrace), admin?.drain(settings.drainGrace)]);
      await store.close();
      log.info("stopped");
      return outcome;
    });
    return { addresses, stopped, stop: () => stopping.resolve({ failed: false }) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Null for a record that can't be trusted. */
function compiled({ key, generation }: FoundToken, log: ReturnType<typeof createLogger>): KeyRecord | null {
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
