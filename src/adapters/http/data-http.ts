import type { RequestListener } from "node:http";
import type { FastifyError, FastifyInstance, onRequestHookHandler } from "fastify";
import type { UnaryMethod } from "../../ports/transport.ts";
import type { Listener } from "../grpc/listener.ts";
import {
  type AuthorizationServer,
  authorizationServerMetadata,
  metadataPaths,
} from "./authorization-server.ts";
import { jsonDoor, oauthDoor } from "./doors.ts";
import { createHttpApp, type ServedApp, serveApp } from "./http-app.ts";
import { type CertificatesBySocket, type Door, type DoorParts, doorHandler } from "./http-call.ts";
import { DATA_HTTP_LIMITS, type HttpLimits, type TlsTermination } from "./http-server.ts";
import { INTROSPECTION_PATH } from "./introspection.ts";
import openapi from "./openapi.json" with { type: "json" };
import { problemOf, RequestRefused } from "./problem.ts";

interface DataHttpOptions {
  readonly listener: Listener;
  /** Undefined: in plaintext. */
  readonly tls?: TlsTermination | undefined;
  /** What answers JSON, by its path. */
  readonly methods: Readonly<Record<string, UnaryMethod>>;
  readonly introspection: UnaryMethod;
  readonly authorizationServer: AuthorizationServer;
  readonly onInternalError: (error: unknown, path: string) => void;
  /** Wraps what answers requests, such as in spans. */
  readonly watch?: (handle: RequestListener) => RequestListener;
  readonly limits?: HttpLimits;
}

/** As much as a request over gRPC may have. */
const MOST_BODY_BYTES = 65_536;

const READ_ONLY = "GET, HEAD";

/** The data plane over HTTP, for whoever connects to the listener. */
export async function startDataHttp(options: DataHttpOptions): Promise<ServedApp> {
  const { listener, tls, methods, introspection, authorizationServer, onInternalError } = options;
  const { limits = DATA_HTTP_LIMITS, watch = (handle) => handle } = options;
  const metadata = authorizationServerMetadata(authorizationServer);
  const metadataAt = metadataPaths(authorizationServer.issuer).map((path) => [path, metadata] as const);
  const documents = new Map<string, object>([["/openapi.json", openapi], ...metadataAt]);
  const app = createHttpApp({
    limits,
    maxBodyBytes: MOST_BODY_BYTES,
    watch,
    allowed: {
      ...Object.fromEntries([...Object.keys(methods), INTROSPECTION_PATH].map((path) => [path, "POST"])),
      ...Object.fromEntries([...documents.keys()].map((path) => [path, READ_ONLY])),
    },
    onInternalError,
  });
  const certificates: CertificatesBySocket = new WeakMap();
  const parts = { certificates, onInternalError };
  for (const [path, method] of Object.entries(methods)) {
    addDoor(app, { path, requestType: "application/json", door: jsonDoor(method) }, parts);
  }
  const form = "application/x-www-form-urlencoded";
  addDoor(app, { path: INTROSPECTION_PATH, requestType: form, door: oauthDoor(introspection) }, parts);
  for (const [path, document] of documents) app.get(path, async () => document);
  const onNames = certificates.set.bind(certificates);
  return serveApp(app, { listener, limits, tls, onNames });
}

interface DoorPlace {
  readonly path: string;
  /** Of bodies. */
  readonly requestType: string;
  readonly door: Door;
}

function addDoor(app: FastifyInstance, { path, requestType, door }: DoorPlace, parts: DoorParts): void {
  void app.register(async (scope) => {
    scope.addContentTypeParser(requestType, { parseAs: "buffer" }, (_request, body, done) =>
      done(null, body),
    );
    scope.addHook("onRequest", refuseUnusual);
    scope.setErrorHandler((error: FastifyError, _request, reply) => {
      const known = problemOf(error);
      if (known.status === 500) parts.onInternalError(error, path);
      door.refuse(reply, known);
    });
    // A colon would begin a parameter.
    scope.post(path.replaceAll(":", "::"), doorHandler(door, parts));
  });
}

/** What nobody needs who means well, before the body is read. */
const refuseUnusual: onRequestHookHandler = ({ url, headers }, _reply, done) => {
  // Addresses are logged everywhere: a token must not be in one.
  if (url.includes("?"))
    throw new RequestRefused(400, "parameters go into the body, and never into the address");
  if ((headers["content-encoding"] ?? "identity") !== "identity") {
    throw new RequestRefused(415, "the body must not be compressed");
  }
  done();
};
