import { type Api, BUILT_IN_API, type Environment } from "../domain/api.ts";
import { invalidArgument, KeywardenError } from "../domain/keywarden-error.ts";
import { quote } from "../domain/quote.ts";
import { API_ID_RULE, isApiId } from "../domain/record-ids.ts";
import type { ImportKeys } from "../ports/store.ts";
import type { AdminParts } from "./admin-parts.ts";
import { repeated } from "./attempts.ts";
import { auditEntry } from "./audit-entry.ts";
import { refuseOutsideBinding } from "./delegated.ts";
import { type ImportCandidate, type ImportOutcome, planImport } from "./import-plan.ts";
import { getApi } from "./read-records.ts";
import { canonicalRequestId } from "./refusals.ts";

/** What is asked of an import. */
export interface ImportKeysInput {
  readonly api: string;
  /** Empty: the API's only one. */
  readonly environment: string;
  /** 1 to 1,000. */
  readonly candidates: readonly ImportCandidate[];
  /** Only find out what would become of them. */
  readonly dryRun: boolean;
  readonly requestId: string;
}

export interface Import {
  /** For each candidate. */
  readonly outcomes: readonly ImportOutcome[];
  /** Of the audit's event; empty if nothing was stored. */
  readonly importId: string;
}

const MOST_KEYS = 1_000;

/**
 * Imports keys that were issued elsewhere, all good ones as one change. Those whose tokens are there already stay as they
 * are, so that an import may be made again.
 *
 * Throws INVALID_ARGUMENT for what is wrong with the call as a whole, NOT_FOUND (API_NOT_FOUND), FAILED_PRECONDITION
 * (BUILT_IN_API), PERMISSION_DENIED (CREDENTIAL_BOUND), DATA_LOSS (SEAL_BROKEN).
 */
export async function importKeys(parts: AdminParts, input: ImportKeysInput): Promise<Import> {
  const requestId = canonicalRequestId(input.requestId);
  refuseOtherCounts(input.candidates.length);
  let knownBefore: number | undefined;
  return repeated(async () => {
    const place = await placeOf(parts, input);
    const { outcomes, keys, known } = await planImport(parts, place, input.candidates);
    if (input.dryRun) return { outcomes: outcomes.map(withoutIdOf(keys)), importId: "" };
    if (keys.length === 0) return { outcomes, importId: "" };
    const importId = parts.newKeyId();
    const { id: api, revision: expectedApi } = place.api;
    const result = await parts.store.commit(
      { kind: "import-keys", importId, api, keys, expectedApi },
      auditEntry(parts, "ImportKeys", null, requestId),
    );
    if (result.ok) return { outcomes, importId };
    // Whoever has imported the same tokens meanwhile is found by the next look; who is not, is no key to be trusted.
    if (result.conflict !== "EXISTS") return undefined;
    if (known === knownBefore) throw untrustedToken();
    knownBefore = known;
    return undefined;
  });
}

/** Of these keys, which are not stored, nobody is to know an id. */
function withoutIdOf(keys: ImportKeys["keys"]): (outcome: ImportOutcome) => ImportOutcome {
  const ids: ReadonlySet<string> = new Set(keys.map(({ key }) => key.id));
  return (outcome) =>
    outcome.kind !== "refused" && outcome.keyId !== null && ids.has(outcome.keyId)
      ? { ...outcome, keyId: null }
      : outcome;
}

function refuseOtherCounts(count: number): void {
  if (count >= 1 && count <= MOST_KEYS) return;
  const [most, given] = [MOST_KEYS, count].map((number) => number.toLocaleString("en"));
  throw invalidArgument([{ field: "keys", description: `are 1 to ${most}, and these are ${given}` }]);
}

async function placeOf(
  parts: AdminParts,
  { api: id, environment: asked }: ImportKeysInput,
): Promise<{ readonly api: Api; readonly environment: Environment }> {
  if (!isApiId(id)) {
    throw invalidArgument([{ field: "api", description: `names an API, whose id ${API_ID_RULE}` }]);
  }
  refuseCredentials(id);
  const api = await getApi(parts, id);
  const { environments } = api;
  const chosen =
    asked === "" && environments.length === 1 ? environments : environments.filter((name) => name === asked);
  const [environment] = chosen;
  if (environment === undefined) {
    const given = asked === "" ? "is required" : `${quote(asked)} is no environment of ${api.id}`;
    const description = `${given}: it has ${environments.join(", ")}`;
    throw invalidArgument([{ field: "environment", description }]);
  }
  refuseOutsideBinding(parts, api.id, environment);
  return { api, environment };
}

function refuseCredentials(id: string): void {
  if (id !== BUILT_IN_API) return;
  throw new KeywardenError({
    status: "FAILED_PRECONDITION",
    reason: "BUILT_IN_API",
    message: `keys of ${BUILT_IN_API} are credentials: they are created, and never imported`,
  });
}

function untrustedToken(): KeywardenError {
  return new KeywardenError({
    status: "DATA_LOSS",
    reason: "SEAL_BROKEN",
    message:
      "one of these tokens is stored already, with a record that was changed behind Keywarden's back: nothing was " +
      "imported; keywarden doctor says which record it is",
  });
}
