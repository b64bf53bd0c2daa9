import type { VerifyRequest } from "../../src/app/verification.ts";

/** A question that says nothing but what is given, in the environment `test`. */
export function question(request: Partial<VerifyRequest>): VerifyRequest {
  return {
    token: "",
    requiredScope: "",
    clientIp: "",
    environment: "test",
    api: "",
    cost: 1,
    dryRun: false,
    ...request,
  };
}
