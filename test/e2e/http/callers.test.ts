import { request } from "node:https";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { TestCertificate } from "../../support/certificates.ts";
import { portOf, tlsServer } from "../tls-server.ts";
import { bearer, type Headers } from "./http-server.ts";

/** An address that only this machine reaches, in a spelling that is not counted as such. */
const AS_IF_PUBLIC = "[::ffff:127.0.0.1]:0";

const tls = tlsServer();
/** What callers show who have a credential beside it. */
let unmapped: TestCertificate;
let mapped: TestCertificate;

beforeAll(async () => {
  unmapped = await tls.authority.issue({ names: ["URI:spiffe://example/unmapped"] });
  mapped = await tls.authority.issue({ names: ["URI:spiffe://example/orders"] });
  const callers = ["--tls-client-ca", tls.path("ca.crt"), "--tls-callers", tls.path("callers.yaml")];
  await tls.setUp(["--http", AS_IF_PUBLIC, ...callers], unmapped);
});
afterAll(tls.tearDown);

interface Answer {
  readonly status: number | undefined;
  readonly body: Record<string, unknown>;
}

/** Sends a form if it is a text, else JSON. */
function post(path: string, message: string | object, own: TestCertificate, headers: Headers = {}) {
  const isForm = typeof message === "string";
  const type = isForm ? "application/x-www-form-urlencoded" : "application/json";
  return new Promise<Answer>((resolve, reject) => {
    const sent = request({
      host: "127.0.0.1",
      port: portOf(tls.server.http),
      path,
      method: path.startsWith("/.") ? "GET" : "POST",
      ca: tls.authority.cert,
      cert: own.cert,
      key: own.key,
      servername: "localhost",
      agent: false,
      headers: { "content-type": type, ...headers },
    });
    sent.on("error", reject);
    sent.on("response", async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode, body: JSON.parse(text) });
    });
    sent.end(isForm ? message : JSON.stringify(message));
  });
}

it("a server that other machines reach serves nobody without a credential or a mapped certificate", async () => {
  const verify = (own: TestCertificate, headers?: Headers) =>
    post("/v1/verify", { token: tls.token, environment: "test" }, own, headers);
  expect(await verify(unmapped)).toMatchObject({ status: 401, body: { code: "UNAUTHENTICATED" } });
  expect(await verify(mapped)).toMatchObject({ status: 200, body: { allowed: true } });
  expect(await verify(unmapped, bearer(tls.server.adminToken))).toMatchObject({ status: 200 });
  expect(await verify(mapped, bearer("nonsense"))).toMatchObject({ status: 401 });
});

it("a mapped certificate serves what it is bound to", async () => {
  const answer = await post("/v1/verify", { token: tls.token, environment: "live" }, mapped);
  expect(answer).toMatchObject({ status: 400, body: { reason: "CALLER_ENVIRONMENT" } });
});

it("a mapped certificate introspects, and clients are told so", async () => {
  expect(await post("/introspect", `token=${tls.token}`, mapped)).toMatchObject({ body: { active: true } });
  expect(await post("/introspect", `token=${tls.token}`, unmapped)).toMatchObject({ status: 401 });
  const { body } = await post("/.well-known/oauth-authorization-server", "", unmapped);
  expect(body).toMatchObject({
    issuer: expect.stringMatching(/^https:/),
    introspection_endpoint_auth_methods_supported: ["client_secret_basic", "Bearer", "tls_client_auth"],
  });
});
