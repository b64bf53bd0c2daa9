import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { listen } from "../grpc/listener.ts";
import { type Readiness, startAdminHttp } from "./admin-http.ts";
import type { Admit } from "./credential-gate.ts";
import type { ServedApp } from "./http-app.ts";
import { ADMIN_HTTP_LIMITS, type HttpLimits } from "./http-server.ts";

const open: ServedApp[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close(0);
});

interface Setup {
  readonly readiness?: { state: Readiness };
  readonly admit?: Admit;
  readonly limits?: Partial<HttpLimits>;
  readonly exposition?: () => Promise<{ contentType: string; text: string }>;
}

async function start({ readiness = { state: "serving" }, admit, limits, exposition }: Setup = {}) {
  const listener = await listen({ host: "127.0.0.1", port: 0, setting: "--admin-http" });
  const errors: unknown[] = [];
  const server = await startAdminHttp({
    listener,
    readiness: () => readiness.state,
    exposition: exposition ?? (async () => ({ contentType: "text/plain; version=0.0.4", text: "up 1\n" })),
    admit,
    onInternalError: (error) => errors.push(error),
    limits: { ...ADMIN_HTTP_LIMITS, ...limits },
  });
  open.push(server);
  const base = `http://${server.address}`;
  return { server, base, errors, port: listener.port, get: (path: string) => fetch(base + path) };
}

/** What a client gets that writes these bytes and no more, once the server has closed the connection. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk;
  });
  socket.on("error", () => {});
  socket.write(bytes);
  await once(socket, "close");
  return received;
}

describe("GET", () => {
  it("/metrics answers what Prometheus reads", async () => {
    const { get } = await start();
    const response = await get("/metrics");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4");
    expect(await response.text()).toBe("up 1\n");
  });

  it("/healthz answers as long as the process does", async () => {
    const { get } = await start({ readiness: { state: "draining" } });
    expect((await get("/healthz")).status).toBe(200);
  });

  it("/readyz answers 200 only while every plane serves", async () => {
    const readiness: { state: Readiness } = { state: "starting" };
    const { get } = await start({ readiness });
    expect((await get("/readyz")).status).toBe(503);
    readiness.state = "serving";
    expect((await get("/readyz")).status).toBe(200);
    readiness.state = "draining";
    const response = await get("/readyz");
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      type: "about:blank",
      title: "Service Unavailable",
      status: 503,
      detail: "not serving any more",
    });
  });

  it("a query changes nothing", async () => {
    const { get } = await start();
    expect((await get("/metrics?x=1")).status).toBe(200);
  });
});

it.each(["/metrics", "/healthz", "/readyz"])("HEAD %s answers without a body", async (path) => {
  const { base } = await start();
  const response = await fetch(base + path, { method: "HEAD" });
  expect(response.status).toBe(200);
  expect(Number(response.headers.get("content-length"))).toBeGreaterThan(0);
  expect(await response.text()).toBe("");
});

it.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])(
  "%s is not allowed, and says what is",
  async (method) => {
    const { base } = await start();
    const response = await fetch(
      `${base}/metrics`,
      method === "OPTIONS" ? { method } : { method, body: "x=1" },
    );
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
    expect(response.headers.get("content-type")).toContain("application/problem+json");
  },
);

it.each(["/", "/metrics/", "/Metrics", "/..%2fmetrics", "/%", "/favicon.ico"])(
  "%s is not there",
  async (path) => {
    const { port } = await start();
    const response = await raw(port, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(response).toMatch(/^HTTP\/1.1 40[04] /);
    expect(response).toContain("application/problem+json");
  },
);

it("every answer forbids what nobody needs, and names no software", async () => {
  const { get } = await start();
  for (const path of ["/metrics", "/healthz", "/nothing"]) {
    const { headers } = await get(path);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(headers.has("server") || headers.has("x-powered-by")).toBe(false);
  }
});

describe("where the metrics need a credential", () => {
  const refused: Admit = async (authorization, scope, peer) => {
    if (authorization.length === 1 && authorization[0] === "Bearer good") return;
    throw new KeywardenError({
      status: "UNAUTHENTICATED",
      reason: "UNAUTHENTICATED",
      message: `${authorization.length} values, ${scope}, ${peer}`,
    });
  };

  it("nobody sees them without", async () => {
    const { get } = await start({ admit: refused });
    const response = await get("/metrics");
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe('Bearer realm="keywarden"');
    expect(await response.json()).toMatchObject({ detail: "0 values, usage:read, 127.0.0.1" });
  });

  it("whoever has one does, and health is for everyone", async () => {
    const { base } = await start({ admit: refused });
    const response = await fetch(`${base}/metrics`, { headers: { authorization: "Bearer good" } });
    expect(response.status).toBe(200);
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
  });

  it("two at once are seen as two", async () => {
    const { port } = await start({ admit: refused });
    const response = await raw(
      port,
      "GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good\r\nAuthorization: Bearer other\r\nConnection: close\r\n\r\n",
    );
    expect(response).toMatch(/^HTTP\/1.1 401 /);
    expect(response).toContain("2 values");
  });
});

it("an error that is ours says no more than that, and is logged", async () => {
  const exposition = async () => {
    throw new Error("secret detail");
  };
  const { get, errors } = await start({ exposition });
  const response = await get("/metrics");
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain("secret detail");
  expect(errors).toMatchObject([{ message: "secret detail" }]);
});

describe("a client that", () => {
  it("sends headers that are too large is refused", async () => {
    const { port } = await start();
    const response = await raw(port, `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`);
    expect(response).toMatch(/^HTTP\/1.1 431 /);
    expect(response).toContain("application/problem+json");
  });

  it("sends what is no HTTP is refused", async () => {
    const { port } = await start();
    expect(await raw(port, "\0\0\0 hello\r\n\r\n")).toMatch(/^HTTP\/1.1 400 /);
  });

  it("says that it sends a large body is refused", async () => {
    const { port } = await start();
    const head = "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nConnection: close\r\n";
    expect(await raw(port, `${head}Content-Length: 100000000\r\n\r\n`)).toMatch(/^HTTP\/1.1 4(05|13) /);
  });

  it("never finishes its headers is cut off", async () => {
    const { port } = await start({ limits: { headersTimeoutMs: 100, checkMs: 20 } });
    expect(await raw(port, "GET /metrics HTTP/1.1\r\nHost: a\r\n")).toMatch(/^HTTP\/1.1 408 /);
  });

  it("never finishes its request is cut off", async () => {
    const { port } = await start({ limits: { headersTimeoutMs: 100, requestTimeoutMs: 100, checkMs: 20 } });
    const request = "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc";
    expect(await raw(port, request)).toMatch(/^HTTP\/1.1 4(05|08) /);
  });

  it("says nothing at all is cut off", async () => {
    const { port } = await start({ limits: { idleMs: 50, headersTimeoutMs: 100, checkMs: 20 } });
    expect(await raw(port, "")).not.toContain("200");
  });
});

it("a client that asks and does not read the answer is cut off, and keeps nobody from closing", async () => {
  const asked = Promise.withResolvers<void>();
  const exposition = async () => {
    asked.resolve();
    return { contentType: "text/plain", text: "x".repeat(50_000_000) };
  };
  const { server, port } = await start({ exposition, limits: { idleMs: 100 } });
  const socket = connect(port, "127.0.0.1").pause();
  socket.on("error", () => {});
  socket.write("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  await asked.promise;
  await expect(server.close(60_000)).resolves.toBeUndefined();
  open.splice(0);
  socket.destroy();
});

describe("closing", () => {
  it("ends idle connections at once", async () => {
    const { server, get } = await start();
    await (await get("/healthz")).text();
    await server.close(60_000);
    open.splice(0);
    await expect(get("/healthz")).rejects.toThrow("fetch failed");
  });

  it("lets an open request finish", async () => {
    const waiting = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const exposition = async () => {
      asked.resolve();
      await waiting.promise;
      return { contentType: "text/plain", text: "late" };
    };
    const { server, get } = await start({ exposition });
    const response = get("/metrics");
    await asked.promise;
    const closed = server.close(60_000);
    waiting.resolve();
    const { headers } = await response;
    expect(headers.get("connection")).toBe("close");
    expect(await (await response).text()).toBe("late");
    await closed;
    open.splice(0);
  });
});

it("a port that is taken is refused by the setting's name", async () => {
  const { port } = await start();
  await expect(listen({ host: "127.0.0.1", port, setting: "--admin-http" })).rejects.toMatchObject({
    reason: "PORT_IN_USE",
    message: expect.stringContaining("--admin-http"),
  });
});
