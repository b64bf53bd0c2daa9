import { connect } from "node:net";
import { afterEach } from "vitest";
import { listen } from "../../src/adapters/grpc/listener.ts";
import { startDataHttp } from "../../src/adapters/http/data-http.ts";
import type { ServedApp } from "../../src/adapters/http/http-app.ts";
import { DATA_HTTP_LIMITS, type HttpLimits } from "../../src/adapters/http/http-server.ts";
import { introspection } from "../../src/adapters/http/introspection.ts";
import { jsonTwin } from "../../src/adapters/http/json-twin.ts";
import { ANYONE, type CallerGate } from "../../src/adapters/rpc/caller-admission.ts";
import { verifyKey } from "../../src/adapters/rpc/verify-service.ts";
import type { Verification } from "../../src/app/verification.ts";
import { VerifyService } from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import { verifierPerTest } from "./verifier-per-test.ts";

interface Setup {
  readonly gate?: CallerGate;
  /** In place of the test's verifier. */
  readonly verify?: (group: readonly Verification[]) => void;
  readonly limits?: Partial<HttpLimits>;
  readonly issuer?: string;
}

/** The data plane over HTTP, over the verifier of each test, whose servers are gone after it. */
export function dataHttpPerTest() {
  const own = verifierPerTest();
  const open: ServedApp[] = [];
  afterEach(async () => {
    for (const server of open.splice(0)) await server.close(0);
  });

  async function start({ gate = ANYONE, limits, issuer = "https://keys.example", verify }: Setup = {}) {
    const listener = await listen({ host: "127.0.0.1", port: 0, setting: "--http" });
    const errors: unknown[] = [];
    const groups: number[] = [];
    const decide = (group: readonly Verification[]) => {
      groups.push(group.length);
      (verify ?? own.verifier.verify.bind(own.verifier))(group);
    };
    const server = await startDataHttp({
      listener,
      methods: { "/v1/verify": jsonTwin(verifyKey(decide, gate), VerifyService.method.verifyKey) },
      introspection: introspection(decide, gate, issuer),
      authorizationServer: { issuer, acceptsCertificates: false },
      onInternalError: (error) => errors.push(error),
      limits: { ...DATA_HTTP_LIMITS, checkMs: 20, ...limits },
    });
    open.push(server);
    const base = `http://${server.address}`;
    const postText = (body: string) =>
      fetch(`${base}/v1/verify`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
    return {
      base,
      errors,
      /** How many verifications each group had. */
      groups,
      port: listener.port,
      postText,
      post: (message: unknown) => postText(JSON.stringify(message)),
      async close(graceMs: number): Promise<void> {
        open.splice(open.indexOf(server), 1);
        await server.close(graceMs);
      },
    };
  }

  return { own, start };
}

/** What a client gets that writes these bytes and no more, once the server has closed the connection. */
export async function rawAnswer(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk;
  });
  // What is written to a server that has closed the connection is lost, and that is fine.
  socket.on("error", () => {});
  socket.write(Buffer.from(bytes, "latin1"));
  await new Promise((resolve) => socket.once("close", resolve));
  return received;
}

const BODY = '{"token":"x"}';

/** A request without what says how long its body is. */
export const HEAD = "POST /v1/verify HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
/** A request that is denied. */
export const WHOLE = `${HEAD}Content-Length: ${BODY.length}\r\n\r\n${BODY}`;
/** The same, and the last of its connection. */
export const LAST = `${HEAD}Connection: close\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;
