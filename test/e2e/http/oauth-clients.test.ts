import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";
import { beforeAll, describe, expect, it } from "vitest";
import { pythonWith } from "../../support/python.ts";
import { httpServerOfTests } from "./http-server.ts";

const server = httpServerOfTests();
const CLIENT_ID = "orders-api";
let credential: string;
let key: { readonly keyId: string; readonly token: string };

beforeAll(async () => {
  credential = await server.createCredential();
  key = await server.createKey({ scopes: ["orders:read"] });
});

const active = () => ({ active: true, scope: "orders:read", sub: "acct_1", aud: "c2p", jti: key.keyId });

describe("oauth4webapi", () => {
  const insecure = { [oauth.allowInsecureRequests]: true };

  async function discovered(): Promise<oauth.AuthorizationServer> {
    const issuer = new URL(server.base);
    const response = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure });
    return oauth.processDiscoveryResponse(issuer, response);
  }

  async function introspect(token: string, secret: string): Promise<oauth.IntrospectionResponse> {
    const [found, client] = [await discovered(), { client_id: CLIENT_ID }];
    const authentication = oauth.ClientSecretBasic(secret);
    const response = await oauth.introspectionRequest(found, client, authentication, token, insecure);
    return oauth.processIntrospectionResponse(found, client, response);
  }

  it("finds the endpoint, and reads what it answers", async () => {
    expect(await introspect(key.token, credential)).toMatchObject({ ...active(), iss: server.base });
    expect(await introspect("nonsense", credential)).toEqual({ active: false });
  });

  it("understands that it may not ask", async () => {
    const refusal = await introspect(key.token, "nonsense").catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(oauth.WWWAuthenticateChallengeError);
    const { cause, status } = refusal as oauth.WWWAuthenticateChallengeError;
    expect(status).toBe(401);
    expect(cause.map(({ scheme }) => scheme)).toEqual(["basic", "bearer"]);
  });
});

describe("openid-client", () => {
  it("finds the endpoint, and reads what it answers", async () => {
    const configuration = await openid.discovery(
      new URL(server.base),
      CLIENT_ID,
      undefined,
      openid.ClientSecretBasic(credential),
      { algorithm: "oauth2", execute: [openid.allowInsecureRequests] },
    );
    expect(await openid.tokenIntrospection(configuration, key.token)).toMatchObject(active());
    expect(await openid.tokenIntrospection(configuration, "nonsense")).toEqual({ active: false });
  });
});

describe("Authlib for Python", () => {
  const bin = pythonWith(["authlib==1.9.6", "requests"]);
  const script = `
import sys
from authlib.integrations.requests_client import OAuth2Session
base, secret, token = sys.argv[1:]
session = OAuth2Session("${CLIENT_ID}", secret, token_endpoint_auth_method="client_secret_basic")
response = session.introspect_token(base + "/introspect", token=token)
print(response.status_code, response.text)
`;

  it.skipIf(bin === undefined)("reads what it answers", async () => {
    const introspect = async (token: string, secret: string) => {
      const args = ["-c", script, server.base, secret, token];
      const { stdout } = await promisify(execFile)(join(bin!, "python"), args);
      const [, status, body = ""] = /^(\d+) (.*)$/s.exec(stdout) ?? [];
      return { status: Number(status), answer: JSON.parse(body) };
    };
    expect(await introspect(key.token, credential)).toMatchObject({ status: 200, answer: active() });
    expect(await introspect("nonsense", credential)).toEqual({ status: 200, answer: { active: false } });
    expect(await introspect(key.token, "nonsense")).toMatchObject({
      status: 401,
      answer: { error: "invalid_client" },
    });
  });
});
