import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** What is behind the proxy: it answers each request with what arrived. */
export interface Upstream {
  readonly address: string;
  /** How many requests have arrived. */
  readonly requests: number;
  close(): Promise<void>;
}

/** A request as it arrived behind the proxy. */
export interface Arrived {
  readonly path: string;
  /** Names in lower case, in order, several of the same name apart. */
  readonly headers: readonly (readonly [string, string])[];
}

export async function startUpstream(): Promise<Upstream> {
  let requests = 0;
  const server = createServer({ maxHeaderSize: 65_536 }, ({ url, rawHeaders }, response) => {
    requests++;
    const headers = rawHeaders.flatMap((name, index) =>
      index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1]]] : [],
    );
    response.end(JSON.stringify({ path: url, headers }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    get requests() {
      return requests;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** In order; several of one name apart. */
export type SentHeaders = readonly (readonly [string, string])[];

/** Sends a request as it is: the path unchanged, and every header of the list, also several of one name. */
export function send(
  address: string,
  path: string,
  headers: SentHeaders = [],
  method = "GET",
): Promise<Answer> {
  const [host, port] = address.split(":");
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = request(
    { host, port, path, method, agent: false, headers: [["host", address], ...headers].flat() },
    (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
      response.on("error", reject);
    },
  );
  outgoing.on("error", reject);
  outgoing.end();
  return promise;
}

/** What arrived behind the proxy, if anything did. */
export function arrived({ status, body }: Answer): Arrived | undefined {
  return status === 200 ? JSON.parse(body) : undefined;
}

/** The values under a name, as they arrived. */
export function valuesOf({ headers }: Arrived, name: string): readonly string[] {
  return headers.filter(([header]) => header === name).map(([, value]) => value);
}
