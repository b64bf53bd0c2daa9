import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import {
  type KeywardenProcess,
  type StartOptions,
  startKeywarden,
  temporaryDirectory,
} from "./keywarden-process.ts";

export interface TestPlace {
  readonly directory: string;
  /** What has this name there. */
  path(name: string): string;
  /** The real server, with its data there unless it is told otherwise; it is stopped after the test, also one that fails. */
  start(options?: Partial<StartOptions>): Promise<KeywardenProcess>;
}

/** A folder of its own for each test, which is gone after it, and so are the servers that the test has started. */
export function placePerTest(): TestPlace {
  let directory: ReturnType<typeof temporaryDirectory>;
  const servers: KeywardenProcess[] = [];
  beforeEach(() => {
    directory = temporaryDirectory();
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
    directory.remove();
  });
  return {
    get directory() {
      return directory.path;
    },
    path: (name) => join(directory.path, name),
    async start(options) {
      const server = await startKeywarden({ directory: directory.path, ...options });
      servers.push(server);
      return server;
    },
  };
}
