import type { VerifyRequest } from "../../src/app/verification.ts";
import type { KeyVerifier } from "../../src/app/verify-key.ts";
import type { ApiId, RouteRule } from "../../src/domain/api.ts";
import type { CredentialBinding } from "../../src/domain/key.ts";
import type { Store } from "../../src/ports/store.ts";
import { question } from "./question.ts";
import { ENTRY } from "./records.ts";

export const get = (path: string) => ({ route: { method: "GET", path } });
export const post = (path: string) => ({ route: { method: "POST", path } });

/** The reason of what is decided for a caller with this binding, or the status and reason of why nothing is. */
export function askedBy(
  verifier: KeyVerifier,
  request: Partial<VerifyRequest>,
  binding?: CredentialBinding,
): Promise<string> {
  const caller = binding === undefined ? null : { id: "caller", binding };
  return new Promise((resolve) => {
    verifier.verify([
      {
        request: question(request),
        caller,
        peer: "",
        isOver: () => false,
        decided: ({ decision }) => resolve(decision.reason),
        failed: ({ status, reason }) => resolve(`${status} ${reason}`),
      },
    ]);
  });
}

/** Gives the API `orders` of this store these route rules. */
export async function giveRules(store: Store, routeRules: readonly RouteRule[]): Promise<void> {
  const before = await store.getApi("orders" as ApiId);
  if (before === undefined) throw new Error("there is no API orders");
  const api = { ...before, routeRules };
  const change = { kind: "update-api", api, expected: before.revision, removedEnvironments: [] } as const;
  const result = await store.commit(change, ENTRY);
  if (!result.ok) throw new Error(result.conflict);
}
