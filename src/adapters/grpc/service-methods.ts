import type { DescMethod, DescService, Message, MessageShape } from "@bufbuild/protobuf";
import type { GenService } from "@bufbuild/protobuf/codegenv2";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import type { Call, UnaryCall, UnaryMethod } from "../../ports/transport.ts";
import { internalFailure } from "./message-bytes.ts";
import { protobufCodec } from "./protobuf-codec.ts";

type UnaryShape = Record<string, Pick<DescMethod, "input" | "output"> & { methodKind: "unary" }>;

/** What answers the methods of a service: one function each. It may reject with a KeywardenError. */
export type ServiceImplementation<Shape extends UnaryShape> = {
  readonly [Name in keyof Shape]: (
    request: MessageShape<Shape[Name]["input"]>,
    call: Call,
  ) => Promise<MessageShape<Shape[Name]["output"]>>;
};

type ReportError = (error: unknown, path: string) => void;
type Implementation = Readonly<Record<string, (request: Message, call: Call) => Promise<Message>>>;

/** The path of a service's method on the wire. */
export function methodPath(service: DescService, method: DescMethod): string {
  return `/${service.typeName}/${method.name}`;
}

/**
 * The methods of a service whose calls have nothing to share: each is answered on its own. A KeywardenError becomes
 * its status, with its cause, if it has one, for `onInternalError`; anything else becomes INTERNAL without a word of
 * what it was, and goes to `onInternalError`.
 */
export function unaryMethods<Shape extends UnaryShape>(
  service: GenService<Shape>,
  implementation: ServiceImplementation<Shape>,
  onInternalError: ReportError,
): readonly UnaryMethod[];
export function unaryMethods(
  service: DescService,
  implementation: Implementation,
  onInternalError: ReportError,
): readonly UnaryMethod[] {
  return service.methods.map((method) => {
    const path = methodPath(service, method);
    const answer = implementation[method.localName];
    if (answer === undefined) {
      throw new TypeError(`${path} has no implementation`);
    }
    return unaryMethod(path, method, answer, onInternalError);
  });
}

function unaryMethod(
  path: string,
  { input, output }: DescMethod,
  answer: (request: Message, call: Call) => Promise<Message>,
  onInternalError: ReportError,
): UnaryMethod<Message, Message> {
  const handle = async (call: UnaryCall<Message, Message>): Promise<void> => {
    try {
      call.reply(await answer(call.request, call));
    } catch (error) {
      if (!(error instanceof KeywardenError)) {
        call.fail(internalFailure);
        onInternalError(error, path);
        return;
      }
      call.fail(error);
      if (error.cause !== undefined) {
        onInternalError(error, path);
      }
    }
  };
  return {
    kind: "unary",
    path,
    request: protobufCodec(input),
    response: protobufCodec(output),
    handle(calls) {
      for (const call of calls) {
        void handle(call);
      }
    },
  };
}
