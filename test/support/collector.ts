import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface ExportedSpan {
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly status: { readonly code?: number };
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
}

/** A collector that speaks OTLP over HTTP, as far as it takes to see what it is sent. */
export class Collector {
  readonly spans: ExportedSpan[] = [];
  readonly resources: string[] = [];
  bodies = "";
  /** What it answers. */
  status = 200;
  requests = 0;
  readonly #server: Server = createServer(async (request, response) => {
    this.requests++;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString("utf8");
    this.bodies += body;
    for (const { resource, scopeSpans } of JSON.parse(body).resourceSpans) {
      this.resources.push(JSON.stringify(resource));
      for (const { spans } of scopeSpans) this.spans.push(...spans);
    }
    response.writeHead(this.status, { "content-type": "application/json" }).end("{}");
  });

  static async start(): Promise<Collector> {
    const collector = new Collector();
    collector.#server.listen(0, "127.0.0.1");
    await once(collector.#server, "listening");
    return collector;
  }

  /** Such as `http://127.0.0.1:4318`. */
  get address(): string {
    const bound = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${bound.port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** A span's attributes, by their names. */
export function attributesOf(span: ExportedSpan | undefined): Record<string, unknown> {
  return Object.fromEntries(span?.attributes.map(({ key, value }) => [key, Object.values(value)[0]]) ?? []);
}
