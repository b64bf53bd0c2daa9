import { type Api, type ApiId, BUILT_IN_API } from "../../domain/api.ts";
import { type AuditEvent, CHAIN_START } from "../../domain/audit-chain.ts";
import type { Digest } from "../../domain/digest.ts";
import type { Key, KeyId } from "../../domain/key.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import type { Revision } from "../../domain/revision.ts";
import { auditEventOf, changesBetween } from "../../ports/change-log.ts";
import { conflictOf, type Records, SERVED_REQUEST_LIFETIME } from "../../ports/conflict.ts";
import type {
  AuditEntry,
  AuditFilter,
  Change,
  CommitResult,
  FoundToken,
  KeyFilter,
  NewToken,
  ServedRequest,
  Snapshot,
  Store,
} from "../../ports/store.ts";
import { MemoryUsage } from "./memory-usage.ts";

interface MemoryStoreOptions {
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
  const { now = Date.now, onStep } = options;
  const apis = new Map<ApiId, Api>();
  const keys = new Map<KeyId, Key>();
  const tokens = new Map<Digest, NewToken & { readonly keyId: KeyId }>();
  const served = new Map<string, ServedRequest>();
  const audit: AuditEvent[] = [];
  const usage = new MemoryUsage();
  let revision = 0 as Revision;
  let isOpen = true;
  let isDistrusted = false;
  const begun = new Set<Promise<CommitResult>>();
  const step = async (label: string) => onStep?.(label);

  const records: Records = {
    apiRevision: (id) => apis.get(id)?.revision,
    apiOfPrefix: (tokenPrefix) => [...apis.values()].find((api) => api.tokenPrefix === tokenPrefix)?.id,
    keyRevision: (id) => keys.get(id)?.revision,
    hasKeys: (api, environment) => [...keys.values()].some(matching({ api, environment })),
    credentials: () => [...keys.values()].filter(({ api }) => api === BUILT_IN_API),
    hasToken: (digest) => tokens.has(digest),
    servedTime: (requestId) => served.get(requestId)?.time,
  };

  function make(change: Change, entry: AuditEntry): CommitResult {
    const conflict = conflictOf(change, entry, records);
    if (conflict !== undefined) return { ok: false, conflict };
    revision = (revision + 1) as Revision;
    audit.push(auditEventOf(change, entry, revision, audit.at(-1)?.hash ?? CHAIN_START));
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
        break;
      case "import-keys":
        for (const { key, token } of change.keys) {
          keys.set(key.id, { ...key, revision });
          tokens.set(token.digest, { ...token, keyId: key.id });
        }
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

  function whileTrusted<Answer>(answer: () => Answer): Answer {
    if (!isDistrusted) return whileOpen(answer);
    throw new KeywardenError({
      status: "UNAVAILABLE",
      reason: "STORE_UNAVAILABLE",
      message: "the store is not trusted",
    });
  }

  /** The revision first, as engines do that can't read both at once: it is a lower bound. */
  async function snapshot<Value>(name: string, read: () => Value): Promise<Snapshot<Value>> {
    await step(`${name} asked`);
    const atLeast = whileTrusted(() => revision);
    await step(`${name} revision read`);
    const value = whileOpen(read);
    await step(`${name} value read`);
    return { revision: atLeast, value };
  }

  async function commit(change: Change, entry: AuditEntry): Promise<CommitResult> {
    await whileOpen(() => step("commit asked"));
    const result = make(change, entry);
    await step("commit made");
    return result;
  }

  return {
    version: () => whileOpen(() => revision),
    async changesSince(since) {
      await step("changes asked");
      const changes = whileTrusted(() =>
        changesBetween(since, revision, audit.slice(Math.max(0, audit.length - (revision - since)))),
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
      whileOpen(() => {
        const { unusedSince: since } = filter;
        const isUnused = (key: Key) => since === undefined || usage.isUnused(key, since);
        return page([...keys.values()].filter(matching(filter)).filter(isUnused), after, limit);
      }),
    hasKeys: async (api) => whileOpen(() => records.hasKeys(api)),
    trustedKeys: async (api) =>
      whileOpen(() => [...keys.values()].filter(matching({ api })).toSorted((a, b) => byBytes(a.id, b.id))),
    getServedRequest: async (requestId) =>
      whileOpen(() => {
        const request = served.get(requestId);
        return request !== undefined && request.time > now() - SERVED_REQUEST_LIFETIME ? request : undefined;
      }),
    listAuditEvents: async (filter, before, limit) =>
      whileOpen(() =>
        audit
          .filter((event) => event.revision < before && isListed(event, filter))
          .toReversed()
          .slice(0, limit),
      ),
    auditChain: async (after, limit) =>
      whileOpen(() => audit.filter((event) => event.revision > after).slice(0, limit)),
    auditHead: async () =>
      whileOpen(() => ({
        revision,
        hash: audit.at(-1)?.hash ?? CHAIN_START,
        isAuthentic: true,
        isDistrusted,
      })),
    usage: async (subject, from, until, width) => whileOpen(() => usage.sums(subject, from, until, width)),
    lastUses: async (keyIds) => whileOpen(() => usage.lastUses(keyIds)),
    recordUsage: async (batch) => whileOpen(() => usage.record(batch)),
    tidyUsage: async (ages, limit) => whileOpen(() => usage.tidy(ages, limit)),
    examineRecords: async () =>
      whileOpen(() => ({ head: revision, newest: revision, areCurrent: true, foreign: [] })),
    trust: async (isTrusted) =>
      whileOpen(() => {
        isDistrusted = !isTrusted;
      }),
    redigest: async (renewed) =>
      whileOpen(() => {
        const known = renewed.filter(({ from }) => tokens.has(from));
        for (const { from, to, pepperId } of known) {
          const token = tokens.get(from);
          if (token !== undefined) tokens.set(to, { ...token, digest: to, pepperId });
          tokens.delete(from);
        }
        return known.length;
      }),
    commit(change, entry) {
      const result = commit(change, entry);
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

function matching(filter: KeyFilter): (key: Key) => boolean {
  const { api, environment, owner, state, expiringBefore, grants, prefix } = filter;
  return (key) =>
    (expiringBefore === undefined || (key.expireTime !== null && key.expireTime < expiringBefore)) &&
    (grants === undefined || grants.some((grant) => key.scopes.includes(grant))) &&
    (prefix === undefined || hasPrefix(key, prefix)) &&
    (api === undefined || key.api === api) &&
    (environment === undefined || key.environment === environment) &&
    (owner === undefined || key.owner === owner) &&
    (state === undefined || key.state === state);
}

function hasPrefix({ displayName, hint }: Key, prefix: string): boolean {
  const lower = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return hint.startsWith(prefix) || lower(displayName).startsWith(lower(prefix));
}

function isListed(
  event: AuditEvent,
  { api, recordId, actorKeyId, action, from, until }: AuditFilter,
): boolean {
  return (
    (api === undefined || event.api === api) &&
    (recordId === undefined || event.recordId === recordId) &&
    (actorKeyId === undefined || event.actor.keyId === actorKeyId) &&
    (action === undefined || event.action === action) &&
    (from === undefined || event.time >= from) &&
    (until === undefined || event.time < until)
  );
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
