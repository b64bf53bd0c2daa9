import type { Verdict, Verification, VerifyingCaller, VerifyRequest } from "../../app/verification.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { Authorization } from "../../gen/envoy/service/auth/v3/external_auth_pb.ts";
import { VerifyService } from "../../gen/keywarden/v1/verify_service_pb.ts";
import type { UnaryCall, UnaryMethod } from "../../ports/transport.ts";
import { isMisconfiguration, isOwnFailure } from "../proxy/denial.ts";
import { identityNames } from "../proxy/identity.ts";
import { ACCEPT, FORWARDED_FOR, type ProxyOptions } from "../proxy/proxy-options.ts";
import { ANYONE, type CallerGate, callerAdmission, type Verify } from "./caller-admission.ts";
import { MALFORMED, questionOf } from "./check-question.ts";
import { type CheckRequest, checkRequestReader, MALFORMED_CHECK } from "./check-request.ts";
import { type CheckAnswer, strayHeaders } from "./check-response.ts";
import { checkResponseEncoder } from "./check-response-encoder.ts";

type Received = CheckRequest | typeof MALFORMED_CHECK;
type CheckCall = UnaryCall<Received, CheckAnswer>;

interface CheckOptions extends ProxyOptions {
  /** Told of each request that is denied because of how the proxy is set up. */
  readonly onMisconfiguration: (error: KeywardenError) => void;
}

/**
 * Authorization.Check, which Envoy asks before it lets a request pass (ext_authz). Whatever is wrong with that request is a
 * denial, in an answer with OK: Envoy may be set to let requests pass whose check ends with an error. What is our own
 * failure is UNAVAILABLE. Who may ask is who may call VerifyKey.
 */
export function checkMethod(
  verify: Verify,
  options: CheckOptions,
  gate: CallerGate = ANYONE,
): UnaryMethod<Received, CheckAnswer> {
  const { credentialHeader, identityHeaderPrefix } = options;
  const read = [...identityNames(identityHeaderPrefix), credentialHeader, FORWARDED_FOR, ACCEPT];
  const parts = { straysOf: strayHeaders(options), onMisconfiguration: options.onMisconfiguration };
  return {
    kind: "unary",
    path: `/${Authorization.typeName}/${Authorization.method.check.name}`,
    request: { decode: checkRequestReader(read) },
    response: checkResponseEncoder(options),
    handle: callerAdmission<CheckCall>(
      VerifyService.method.verifyKey,
      gate,
      verify,
      (call, caller, group) => {
        const answering = new Answering(call, parts);
        try {
          if (call.request === MALFORMED_CHECK) throw MALFORMED;
          group.push(new CheckVerification(call, caller, questionOf(call.request, options), answering));
        } catch (error) {
          if (!(error instanceof KeywardenError)) throw error;
          answering.failed(error);
        }
      },
    ),
  };
}

interface AnsweringParts {
  readonly straysOf: ReturnType<typeof strayHeaders>;
  readonly onMisconfiguration: CheckOptions["onMisconfiguration"];
}

/** Puts what came of a request into Envoy's terms. */
class Answering {
  readonly #call: CheckCall;
  readonly #parts: AnsweringParts;

  constructor(call: CheckCall, parts: AnsweringParts) {
    this.#call = call;
    this.#parts = parts;
  }

  decided(verdict: Verdict): void {
    this.#reply(verdict);
  }

  failed(error: KeywardenError): void {
    if (isOwnFailure(error)) {
      const { reason, message } = error;
      this.#call.fail({ status: "UNAVAILABLE", reason, message });
      return;
    }
    if (isMisconfiguration(error)) this.#parts.onMisconfiguration(error);
    this.#reply(error);
  }

  #reply(outcome: CheckAnswer["outcome"]): void {
    const { request } = this.#call;
    const headers = request === MALFORMED_CHECK ? NO_HEADERS : request.headers;
    const accept = headers.get(ACCEPT)?.join(",") ?? "";
    this.#call.reply({ outcome, accept, strays: this.#parts.straysOf(headers) });
  }
}

const NO_HEADERS: CheckRequest["headers"] = new Map();

class CheckVerification implements Verification {
  readonly request: VerifyRequest;
  readonly caller: VerifyingCaller | null;
  readonly #call: CheckCall;
  readonly #answering: Answering;

  constructor(call: CheckCall, caller: VerifyingCaller | null, request: VerifyRequest, answering: Answering) {
    this.request = request;
    this.caller = caller;
    this.#call = call;
    this.#answering = answering;
  }

  get peer(): string {
    return this.#call.peer;
  }

  isOver(): boolean {
    return this.#call.isOver();
  }

  decided(verdict: Verdict): void {
    this.#answering.decided(verdict);
  }

  failed(error: KeywardenError): void {
    this.#answering.failed(error);
  }
}
