import type { DescMethod } from "@bufbuild/protobuf";
import { BUILT_IN_ENVIRONMENT } from "../../app/bootstrap.ts";
import type { Verification, VerifyingCaller, VerifyRequest } from "../../app/verification.ts";
import { BUILT_IN_API } from "../../domain/api.ts";
import type { CredentialBinding } from "../../domain/key.ts";
import type { KeywardenError } from "../../domain/keywarden-error.ts";
import type { Call } from "../../ports/transport.ts";
import { bearerToken, refusalOf, requiredScope, unauthenticated } from "./required-scope.ts";

/** Answers each of a group once, at once or later. */
export type Verify = (group: readonly Verification[]) => void;

/** Who may ask on a listener. */
export interface CallerGate {
  /** Calls without a caller are refused. Where they are not, a credential that is sent must be valid all the same. */
  readonly required: boolean;
  /** Whom a verified client certificate stands for, by its names; undefined: nobody. */
  callerOf(names: readonly string[]): CredentialBinding | undefined;
}

/** For a listener that only this machine reaches. */
export const ANYONE: CallerGate = { required: false, callerOf: () => undefined };

const REQUIRED = unauthenticated("this listener serves callers with a credential only");
const UNREADABLE = unauthenticated("the metadata authorization must be one Bearer credential");

/** Calls of one turn that came from one address with one credential. */
interface Presentation {
  readonly token: string;
  readonly peer: string;
  /** Where they stand in the turn. */
  readonly indexes: number[];
}

/**
 * Finds out who is calling this method, fails those that may not, and has the verifications of the others made: `enter`
 * puts those of a call into a group. A credential in the metadata is the caller, else its certificate is. All credentials
 * of a turn are verified in one group, each once for all calls that carry it, by the engine that decides on every other
 * key; then come the turn's verifications in one group, those calls aside whose credential has to be read from the store
 * first. Throws TypeError if the method's proto declares no scope.
 */
export function callerAdmission<SomeCall extends Call>(
  method: DescMethod,
  gate: CallerGate,
  verify: Verify,
  enter: Enter<SomeCall>,
): (calls: readonly SomeCall[]) => void {
  const scope = requiredScope(method);
  return (calls) => {
    const turn: Turn = { calls, scope, verify };
    // Each call's, where it stands in the turn; whose is undefined is refused, or not found out yet, and is not served.
    const callers: (VerifyingCaller | null | undefined)[] = [];
    const presentations = new Map<string, Presentation>();
    for (const call of calls) {
      const values = call.metadata("authorization");
      if (values.length > 0) {
        present(call, values, callers.length, presentations);
        callers.push(undefined);
      } else {
        callers.push(certifiedCaller(call, gate));
      }
    }
    let isTurn = true;
    const admit: Admit = (indexes, caller) => {
      for (const index of indexes) callers[index] = caller;
      if (isTurn) return;
      const late = indexes.flatMap((index) => calls[index] ?? []);
      enterAll(late, () => caller, verify, enter);
    };
    if (presentations.size > 0) {
      const verifications = [...presentations.values()].map(
        (presentation) => new CallerVerification(presentation, turn, admit),
      );
      verify(verifications);
    }
    isTurn = false;
    enterAll(calls, (index) => callers[index], verify, enter);
  };
}

/** Whom the call's certificate stands for; null: nobody. Undefined: nobody, and so the call is refused. */
function certifiedCaller(call: Call, gate: CallerGate): VerifyingCaller | null | undefined {
  const { certificateNames } = call;
  const binding = gate.callerOf(certificateNames);
  if (binding !== undefined) return { id: certificateNames.join(" "), binding };
  if (!gate.required) return null;
  call.fail(REQUIRED);
  return undefined;
}

/** What the verification of a credential has to do with the calls that carry it. */
interface Turn {
  readonly calls: readonly Call[];
  /** What the credential must cover. */
  readonly scope: string;
  readonly verify: Verify;
}

type Enter<SomeCall> = (call: SomeCall, caller: VerifyingCaller | null, group: Verification[]) => void;

/** Has those calls verified, in one group, whose caller is known. */
function enterAll<SomeCall>(
  calls: readonly SomeCall[],
  callerAt: (index: number) => VerifyingCaller | null | undefined,
  verify: Verify,
  enter: Enter<SomeCall>,
): void {
  const group: Verification[] = [];
  let index = 0;
  for (const call of calls) {
    const caller = callerAt(index++);
    if (caller !== undefined) enter(call, caller, group);
  }
  if (group.length > 0) verify(group);
}

function present(
  call: Call,
  values: readonly string[],
  index: number,
  presentations: Map<string, Presentation>,
): void {
  const { peer } = call;
  const [value = ""] = values;
  const name = `${peer} ${value}`;
  const known = values.length === 1 ? presentations.get(name) : undefined;
  if (known !== undefined) {
    known.indexes.push(index);
    return;
  }
  const token = bearerToken(values);
  if (token === undefined) call.fail(UNREADABLE);
  else presentations.set(name, { token, peer, indexes: [index] });
}

type Admit = (indexes: readonly number[], caller: VerifyingCaller | null) => void;

class CallerVerification implements Verification {
  readonly request: VerifyRequest;
  readonly peer: string;
  readonly #presentation: Presentation;
  readonly #turn: Turn;
  readonly #admit: Admit;

  constructor(presentation: Presentation, turn: Turn, admit: Admit) {
    const { token, peer, indexes } = presentation;
    this.request = {
      token,
      requiredScope: turn.scope,
      clientIp: peer,
      environment: BUILT_IN_ENVIRONMENT,
      api: BUILT_IN_API,
      cost: indexes.length,
      dryRun: false,
    };
    this.peer = peer;
    this.#presentation = presentation;
    this.#turn = turn;
    this.#admit = admit;
  }

  isOver(): boolean {
    return this.#presentation.indexes.every((index) => this.#turn.calls[index]?.isOver() !== false);
  }

  decided({ decision }: Parameters<Verification["decided"]>[0]): void {
    const { indexes } = this.#presentation;
    if (decision.allowed && decision.record !== undefined) {
      this.#admit(indexes, decision.record.key);
    } else if (decision.reason === "RATE_LIMITED" && indexes.length > 1) {
      this.#decideApart();
    } else {
      this.failed(refusalOf(decision, this.request.requiredScope));
    }
  }

  failed(error: KeywardenError): void {
    for (const index of this.#presentation.indexes) this.#turn.calls[index]?.fail(error);
  }

  /** The quota has room for some of the calls at most: each asks for itself. */
  #decideApart(): void {
    this.#turn.verify(
      this.#presentation.indexes.map((index) => {
        const presentation = { ...this.#presentation, indexes: [index] };
        return new CallerVerification(presentation, this.#turn, this.#admit);
      }),
    );
  }
}
