import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type KeywardenProcess, startKeywarden } from "../../test/support/keywarden-process.ts";
import { pinnedTo, SERVER_CORE, type StartedServer, startOnServerCore } from "../measuring/children.ts";
import { ENVIRONMENT } from "../requests/keys.ts";
import { buildGoReference } from "./go-reference.ts";
import { type LimitedTokens, makeStore } from "./stores.ts";

/** Keywarden on a store of 1,000 keys; with two threads that verify; without room in its cache; on both cores; and with very many keys. */
export type StoreName = "small" | "two workers" | "uncached" | "importing" | "large";
export type ReferenceName = "grpc-js no-op" | "grpc-js + codec" | "grpc-go no-op";

export const SMALL_STORE = 1_000;
/** What a server's cache holds by default. */
export const CACHE_SIZE = 100_000;

interface FleetOptions {
  /** Keywarden's main file, relative to the root of the project. */
  readonly entry: string;
  readonly largeStore: number;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** All servers of a run, each made when it is first asked for. */
export class Fleet {
  readonly #options: FleetOptions;
  /** Where everything is that the run writes, until `end`. */
  readonly directory = mkdtempSync(join(tmpdir(), "keywarden-bench-"));
  readonly #stores = new Map<StoreName, Promise<LimitedTokens>>();
  readonly #keywardens = new Map<StoreName, KeywardenProcess>();
  readonly #references = new Map<ReferenceName, StartedServer>();
  #goReference: Promise<string | undefined> | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Keywarden's main file, relative to the root of the project. */
  get entry(): string {
    return this.#options.entry;
  }

  /** The running server on this store. */
  async keywarden(name: StoreName): Promise<KeywardenProcess> {
    await this.limitedTokens(name);
    return this.#keywardens.get(name) ?? this.restart(name);
  }

  /** Starts the server on this store anew; resolves when it serves. */
  async restart(name: StoreName): Promise<KeywardenProcess> {
    await this.limitedTokens(name);
    await this.stop(name);
    this.#options.signal.throwIfAborted();
    const server = await startKeywarden({
      directory: join(this.directory, name),
      entry: this.#options.entry,
      flags: flagsOf(name),
      under: name === "importing" ? [] : pinnedTo(SERVER_CORE),
    });
    this.#keywardens.set(name, server);
    return server;
  }

  async stop(name: StoreName): Promise<void> {
    const server = this.#keywardens.get(name);
    this.#keywardens.delete(name);
    await server?.stop();
  }

  /** The tokens of the store's limited keys. Makes the store. */
  limitedTokens(name: StoreName): Promise<LimitedTokens> {
    const known = this.#stores.get(name);
    if (known !== undefined) return known;
    const { entry, signal, say } = this.#options;
    const keys = name === "large" ? this.#options.largeStore : SMALL_STORE;
    say(`filling a store with ${keys.toLocaleString("en")} keys`);
    const made = makeStore({ directory: join(this.directory, name), entry, keys, signal });
    this.#stores.set(name, made);
    return made;
  }

  /** Undefined for the one in Go where it can't be built. */
  async reference(name: ReferenceName): Promise<StartedServer | undefined> {
    const known = this.#references.get(name);
    if (known !== undefined) return known;
    const command = await this.#referenceCommand(name);
    this.#options.signal.throwIfAborted();
    if (command === undefined) return undefined;
    const [program = "", ...args] = command;
    const server = await startOnServerCore(program, args);
    this.#references.set(name, server);
    return server;
  }

  /** Stops every server and removes every file. */
  async end(): Promise<void> {
    const servers = [...this.#keywardens.values(), ...this.#references.values()];
    await Promise.allSettled(this.#stores.values());
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #referenceCommand(name: ReferenceName): Promise<readonly string[] | undefined> {
    switch (name) {
      case "grpc-js no-op":
        return [process.execPath, join(import.meta.dirname, "../reference-js-noop.ts")];
      case "grpc-js + codec":
        return [process.execPath, join(import.meta.dirname, "../reference-js-codec.ts")];
      case "grpc-go no-op": {
        this.#goReference ??= buildGoReference(this.directory, this.#options.say);
        const program = await this.#goReference;
        return program === undefined ? undefined : [program];
      }
    }
  }
}

function flagsOf(name: StoreName): readonly string[] {
  return [
    "--environment",
    ENVIRONMENT,
    "--cache-size",
    String(name === "uncached" ? 1 : CACHE_SIZE),
    "--workers",
    name === "two workers" ? "2" : "1",
    // More than any load guesses, and counted all the same.
    "--failure-budget",
    "1000000",
  ];
}
