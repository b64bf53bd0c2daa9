import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { AdminParts } from "../../app/admin-parts.ts";
import type { Call } from "../../ports/transport.ts";
import { admitted, type KeyedCaller, requirementOf, type VerifyOne } from "./required-scope.ts";

/** What serves the methods of the admin plane. */
export interface AdminServing {
  /** What the administration is made of, before somebody calls it. */
  readonly authority: Omit<AdminParts, "caller">;
  /** Decides on the credentials of those who call. */
  readonly verifyOne: VerifyOne;
  readonly onInternalError: (error: unknown, path: string) => void;
}

/** The administration, on behalf of whoever calls. */
export type CalledParts = AdminParts & { readonly caller: KeyedCaller };

/** Lets each method of the service be called by those whom its proto lets. Throws TypeError if that does not say whom. */
export function admittedCalls(service: DescService, { authority, verifyOne, onInternalError }: AdminServing) {
  for (const method of service.methods) requirementOf(method);
  return {
    contextOf: async (call: Call, method: DescMethod): Promise<CalledParts> => ({
      ...authority,
      caller: await admitted(call, method, verifyOne),
    }),
    onInternalError,
  };
}
