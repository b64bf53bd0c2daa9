import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { dataHttpPerTest, HEAD } from "../../../test/support/data-http.ts";
import type { Verification } from "../../app/verification.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { ANYONE } from "../rpc/caller-admission.ts";

const { own, start } = dataHttpPerTest();

it("requests of one turn are verified in one group, after one freshness check", async () => {
  const { groups, port } = await start();
  const { token } = await own.stored();
  const body = JSON.stringify({ token, environment: "test" });
  const one = `${HEAD}Content-Length: ${body.length}\r\n\r\n${body}`;
  const sockets = Array.from({ length: 8 }, () => connect(port, "127.0.0.1"));
  for (const socket of sockets) {
    socket.write(one);
    await once(socket, "data");
  }
  own.checks = groups.splice(0).length - 8;
  for (const socket of sockets) socket.write(one);
  for (const socket of sockets) {
    const [answer] = await once(socket, "data");
    expect(String(answer)).toContain('"allowed":true');
    socket.destroy();
  }
  expect(groups.reduce((sum, length) => sum + length)).toBe(8);
  expect(groups.length).toBeLessThan(8);
  expect(own.checks).toBe(groups.length);
});

describe("an error", () => {
  it.each([
    ["UNAVAILABLE", 503],
    ["INTERNAL", 500],
    ["DEADLINE_EXCEEDED", 504],
    ["PERMISSION_DENIED", 403],
    ["RESOURCE_EXHAUSTED", 429],
    ["ABORTED", 409],
  ] as const)("%s is told with %d, and is never an answer", async (status, expected) => {
    const failure = new KeywardenError({ status, reason: "WHY", message: "what" });
    const { post, base } = await start({
      verify: (group) => {
        for (const one of group) one.failed(failure);
      },
    });
    const response = await post({ token: "x" });
    expect(response.status).toBe(expected);
    expect(await response.json()).toMatchObject({
      status: expected,
      code: status,
      reason: "WHY",
      detail: "what",
    });
    const introspected = await fetch(`${base}/introspect`, {
      method: "POST",
      headers: { authorization: "Bearer x" },
      body: new URLSearchParams({ token: "x" }),
    });
    expect(introspected.status).toBe(expected);
    expect(await introspected.json()).not.toHaveProperty("active");
  });

  it("that nobody foresaw says no more than that, and is logged", async () => {
    const { post, errors } = await start({
      verify: () => {
        throw new Error("secret detail");
      },
    });
    const response = await post({ token: "x" });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("secret detail");
    expect(errors).toMatchObject([{ message: "secret detail" }]);
  });
});

it.each(["/introspect", "/v1/verify"])("%s asks who calls, where it has to", async (path) => {
  const { base } = await start({ gate: { ...ANYONE, required: path !== "/introspect" } });
  const isForm = path === "/introspect";
  const response = await fetch(base + path, {
    method: "POST",
    headers: { "content-type": isForm ? "application/x-www-form-urlencoded" : "application/json" },
    body: isForm ? "token=a" : "{}",
  });
  expect(response.status).toBe(401);
  expect(response.headers.get("www-authenticate")).toContain('Bearer realm="keywarden"');
  expect(await response.text()).not.toContain("metadata");
});

it("an issuer with a path has its metadata there too", async () => {
  const { base } = await start({ issuer: "https://example/keys" });
  for (const path of ["", "/keys"]) {
    const response = await fetch(`${base}/.well-known/oauth-authorization-server${path}`);
    expect(await response.json()).toMatchObject({
      introspection_endpoint: "https://example/keys/introspect",
    });
  }
});

describe("closing", () => {
  it("lets an open request finish, and takes no other", async () => {
    const waiting = Promise.withResolvers<readonly Verification[]>();
    const { close, post } = await start({ verify: waiting.resolve });
    const { token } = await own.stored();
    const response = post({ token, environment: "test" });
    const group = await waiting.promise;
    const closed = close(60_000);
    own.verifier.verify(group);
    expect((await response).headers.get("connection")).toBe("close");
    expect(await (await response).json()).toMatchObject({ allowed: true });
    await closed;
    await expect(post({ token })).rejects.toThrow("fetch failed");
  });
});
