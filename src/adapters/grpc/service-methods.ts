import type { DescMethod, DescService, Message, MessageShape } from "@bufbuild/protobuf";
import type { GenService } from "@bufbuild/protobuf/codegenv2";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import type { Call, UnaryCall, UnaryMethod } from "../../ports/transport.ts";
import { internalFailure } from "./message-bytes.ts";
import { protobufCodec } from "./protobuf-codec.ts";

type UnaryShape = Record<string, Pick<DescMethod, "input" | "output"> & { methodKind: "unary" }>;

/** What answers the methods of a service: one function each. It may reject with a KeywardenError. */
export type ServiceImplementation<Shape extends UnaryShape, Context> = {
  readonly [Name in keyof Shape]: (
    request: MessageShape<Shape[Name]["input"]>,
    context: Context,
  ) => Promise<MessageShape<Shape[Name]["output"]>>;
};

interface ServiceOptions<Context> {
  /** What a method knows of its call. It may reject with a KeywardenError: then the method is not called. */
  readonly contextOf: (call: Call, method: DescMethod) => Context | Promise<Context>;
  readonly onInternalError: (error: unknown, path: string) => void;
}

type Implementation<Context> = Readonly<
  Record<string, (request: Message, context: Context) => Promise<Message>>
>;

/** The path of a service's method on the wire. */
function methodPath(service: DescService, method: DescMethod): string {
  return `/${service.typeName}/${method.name}`;
}

/**
 * The methods of a service whose calls have nothing to share: each is answered on its own. A KeywardenError becomes
 * its status, with its cause, if it has one, for `onInternalError`; anything else becomes INTERNAL without a word of
 * what it was, and goes to `onInternalError`.
 */
export function unaryMethods<Shape extends UnaryShape, Context>(
  service: GenService<Shape>,
  implementation: ServiceImplementation<Shape, Context>,
  options: ServiceOptions<Context>,
): readonly UnaryMethod[];
export function unaryMethods<Context>(
  service: DescService,
  implementation: Implementation<Context>,
  options: ServiceOptions<Context>,
): readonly UnaryMethod[] {
  return service.methods.map((method) => {
    const path = methodPath(service, method);
    const answer = implementation[method.localName];
    if (answer === undefined) {
      throw new TypeError(`${path} has no implementation`);
    }
    return unaryMethod(path, method, answer, options);
  });
}

function unaryMethod<Context>(
  path: string,
  method: DescMethod,
  answer: (request: Message, context: Context) => Promise<Message>,
  { contextOf, onInternalError }: ServiceOptions<Context>,
): UnaryMethod<Message, Message> {
  const handle = async (call: UnaryCall<Message, Message>): Promise<void> => {
    try {
      call.reply(await answer(call.request, await contextOf(call, method)));
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
    request: protobufCodec(method.input),
    response: protobufCodec(method.output),
    handle(calls) {
      for (const call of calls) {
        void handle(call);
      }
    },
  };
}
