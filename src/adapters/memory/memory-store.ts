import type { Api, ApiId } from "../../domain/api.ts";
import type { Digest, PepperId } from "../../domain/digest.ts";
import type { Key, KeyId } from "../../domain/key.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import type { Revision } from "../../domain/revision.ts";
import { changesBetween, type LoggedChange, logged } from "../../ports/change-log.ts";
import { conflictOf, type Records, SERVED_REQUEST_LIFETIME } from "../../ports/conflict.ts";
import type {
  Change,
  CommitResult,
  FoundToken,
  KeyFilter,
  NewToken,
  ServedRequest,
  Snapshot,
  Store,
} from "../../ports/store.ts";

interface MemoryStoreOptions {
  /** How many of the last changes stay in the log. */
  readonly changesKept?: number;
  /** Milliseconds since the epoch; without it, the system's clock. */
  readonly now?: () => number;
  /**
   * Awaited wherever a real engine could be overtaken: before a commit is made and before it is acknowledged; before
   * a verification's read begins, between what it reads, and before its answer is given.
   */
  readonly onStep?: (label: string) => Promise<void>;
}

/** A store without a disk, for tests: the whole contract. */
export function createMemoryStore(options: MemoryStoreOptions = {}): Store {
  const { changesKept = 100_000, now = Date.now, onStep } = options;
  const apis = new Map<ApiId, Api>();
  const keys = new Map<KeyId, Key>();
  const tokens = new Map<Digest, NewToken & { readonly keyId: KeyId }>();
  const served = new Map<string, ServedRequest>();
  const log: LoggedChange[] = [];
  let revision = 0 as Revision;
  let isOpen = true;
  const begun = new Set<Promise<CommitResult>>();
  const step = async (label: string) => onStep?.(label);

  const records: Records = {
    apiRevision: (id) => apis.get(id)?.revision,
    apiOfPrefix: (tokenPrefix) => [...apis.values()].find((api) => api.tokenPrefix === tokenPrefix)?.id,
    keyRevision: (id) => keys.get(id)?.revision,
    hasKeys: (api, environment) => [...keys.values()].some(matching({ api, environment })),
    hasToken: (digest) => tokens.has(digest),
    servedTime: (requestId) => served.get(requestId)?.time,
  };

  function make(change: Change): CommitResult {
    const conflict = conflictOf(change, records);
    if (conflict !== undefined) return { ok: false, conflict };
    revision = (revision + 1) as Revision;
    log.push(logged(change));
    if (log.length > changesKept) log.shift();
    switch (change.kind) {
      case "create-api":
      case "update-api":
        apis.set(change.api.id, { ...change.api, revision });
        break;
      case "delete-api":
        apis.delete(change.id);
        break;
      case "create-key":
      case "update-key":
        keys.set(change.key.id, { ...change.key, revision });
        if (change.token !== undefined)
          tokens.set(change.token.digest, { ...change.token, keyId: change.key.id });
        if (change.served !== undefined) served.set(change.served.requestId, change.served);
    }
    return { ok: true, revision };
  }

  function found(digest: Digest): readonly FoundToken[] {
    const token = tokens.get(digest);
    const key = token === undefined ? undefined : keys.get(token.keyId);
    return token === undefined || key === undefined ? [] : [{ digest, generation: token.generation, key }];
  }

  function whileOpen<Answer>(answer: () => Answer): Answer {
    if (isOpen) return answer();
    throw new KeywardenError({
      status: "UNAVAILABLE",
      reason: "STORE_UNAVAILABLE",
      message: "the store is closed",
    });
  }

  /** The revision first, as engines do that can't read both at once: it is a lower bound. */
  async function snapshot<Value>(name: string, read: () => Value): Promise<Snapshot<Value>> {
    await step(`${name} asked`);
    const atLeast = whileOpen(() => revision);
    await step(`${name} revision read`);
    const value = whileOpen(read);
    await step(`${name} value read`);
    return { revision: atLeast, value };
  }

  async function commit(change: Change): Promise<CommitResult> {
    await whileOpen(() => step("commit asked"));
    const result = make(change);
    await step("commit made");
    return result;
  }

  return {
    version: () => whileOpen(() => revision),
    async changesSince(since) {
      await step("changes asked");
      const changes = whileOpen(() =>
        changesBetween(since, revision, log.slice(Math.max(0, log.length - (revision - since)))),
      );
      await step("changes read");
      return changes;
    },
    findTokens: (digests) => snapshot("tokens", () => digests.flatMap(found)),
    allApis: () => snapshot("apis", () => [...apis.values()]),
    getApi: async (id) => whileOpen(() => apis.get(id)),
    listApis: async (after, limit) => whileOpen(() => page([...apis.values()], after, limit)),
    getKey: async (id) => whileOpen(() => keys.get(id)),
    listKeys: async (filter, after, limit) =>
      whileOpen(() => page([...keys.values()].filter(matching(filter)), after, limit)),
    getServedRequest: async (requestId) =>
      whileOpen(() => {
        const request = served.get(requestId);
        return request !== undefined && request.time > now() - SERVED_REQUEST_LIFETIME ? request : undefined;
      }),
    pepperIds: async () =>
      whileOpen(() => [...new Set<PepperId>([...tokens.values()].map(({ pepperId }) => pepperId))]),
    commit(change) {
      const result = commit(change);
      begun.add(result);
      const forget = () => begun.delete(result);
      result.then(forget, forget);
      return result;
    },
    async close() {
      isOpen = false;
      await Promise.allSettled(begun);
    },
  };
}

function matching({ api, environment, owner, state }: KeyFilter): (key: Key) => boolean {
  return (key) =>
    (api === undefined || key.api === api) &&
    (environment === undefined || key.environment === environment) &&
    (owner === undefined || key.owner === owner) &&
    (state === undefined || key.state === state);
}

/** By the bytes of the ids, as a database compares them. */
function page<Item extends { readonly id: string }>(
  items: readonly Item[],
  after: string,
  limit: number,
): readonly Item[] {
  return items
    .filter(({ id }) => byBytes(id, after) > 0)
    .toSorted((a, b) => byBytes(a.id, b.id))
    .slice(0, limit);
}

function byBytes(a: string, b: string): number {
  return Buffer.from(a).compare(Buffer.from(b));
}
