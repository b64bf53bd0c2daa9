import type { Verdict } from "../../app/verification.ts";
import { malformedRequest } from "../../domain/keywarden-error.ts";
import { VerifyService } from "../../gen/keywarden/v1/verify_service_pb.ts";
import type { UnaryMethod } from "../../ports/transport.ts";
import { type CallerGate, callerAdmission, type Verify } from "../rpc/caller-admission.ts";
import { parseForm } from "./form.ts";
import { introspectionAnswer } from "./introspection-answer.ts";
import { textEncoder } from "./text-encoder.ts";

export const INTROSPECTION_PATH = "/introspect";

/**
 * Token introspection (RFC 7662), for whom VerifyKey would let in, and never for nobody: section 2.1 has the endpoint
 * require a caller. A token is looked at and not used, so that no rate limit of its key is charged. `issuer`: a URL.
 */
export function introspection(
  verify: Verify,
  gate: CallerGate,
  issuer: string,
): UnaryMethod<string, Verdict> {
  return {
    kind: "unary",
    path: INTROSPECTION_PATH,
    request: { decode: (bytes, start, end) => tokenOf(bytes.subarray(start, end)) },
    response: textEncoder((verdict) => JSON.stringify(introspectionAnswer(verdict, issuer))),
    handle: callerAdmission<Parameters<UnaryMethod<string, Verdict>["handle"]>[0][number]>(
      VerifyService.method.verifyKey,
      { ...gate, required: true },
      verify,
      (call, caller, group) => {
        group.push({
          request: {
            token: call.request,
            requiredScope: "",
            clientIp: "",
            environment: "",
            api: "",
            cost: 0,
            dryRun: false,
          },
          caller,
          peer: call.peer,
          isOver: () => call.isOver(),
          decided: (verdict) => call.reply(verdict),
          failed: (error) => call.fail(error),
        });
      },
    ),
  };
}

/** RFC 6749 section 3.1: a parameter without a value is one that is not there, and unknown ones are ignored. */
function tokenOf(bytes: Uint8Array): string {
  const token = parseForm(bytes).get("token");
  if (token) return token;
  throw malformedRequest("the form has no parameter token");
}
