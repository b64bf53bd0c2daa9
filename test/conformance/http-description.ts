import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

interface Content {
  readonly schema: object;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

type Contents = Readonly<Record<string, Content>>;

interface Operation {
  readonly requestBody: { readonly content: Contents };
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: Contents }>>;
}

/** An OpenAPI document, as far as these tests read it. */
export interface Description {
  readonly paths: Readonly<Record<string, { readonly post: Operation }>>;
  readonly components: { readonly responses: Readonly<Record<string, { readonly content?: Contents }>> };
}

interface Example {
  readonly name: string;
  readonly place: string;
  readonly value: unknown;
}

/** What a description says of messages. Each check gives what is wrong with one; nothing: it is as described. */
export function readDescription(document: Description) {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, "description");

  function problems(place: string, value: unknown): string[] {
    const validate = ajv.getSchema(`description#${place}`);
    if (validate === undefined) return [`nothing is described at ${place}`];
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  }

  function responsePlace(path: string, status: number, type: string): string {
    const base = `/paths/${escaped(path)}/post/responses/${status}`;
    const reference = document.paths[path]?.post.responses[String(status)]?.$ref;
    return `${reference?.slice(1) ?? base}/content/${escaped(type)}/schema`;
  }

  return {
    requestProblems: (path: string, type: string, value: unknown) =>
      problems(`/paths/${escaped(path)}/post/requestBody/content/${escaped(type)}/schema`, value),
    responseProblems: (path: string, status: number, type: string, value: unknown) =>
      problems(responsePlace(path, status, type), value),
    exampleProblems: ({ place, value }: Example) => problems(place, value),
    examples: () => [...examplesOf(document)],
  };
}

/** Each with the place of the schema that it is an example of. */
function* examplesOf({ paths, components }: Description): Generator<Example> {
  for (const [path, { post }] of Object.entries(paths)) {
    const base = `/paths/${escaped(path)}/post`;
    yield* ofContents(`${base}/requestBody`, post.requestBody.content);
    for (const [status, { content = {} }] of Object.entries(post.responses)) {
      yield* ofContents(`${base}/responses/${status}`, content);
    }
  }
  for (const [name, { content = {} }] of Object.entries(components.responses)) {
    yield* ofContents(`/components/responses/${name}`, content);
  }
}

function* ofContents(base: string, contents: Contents): Generator<Example> {
  for (const [type, { examples = {} }] of Object.entries(contents)) {
    const place = `${base}/content/${escaped(type)}/schema`;
    for (const [name, { value }] of Object.entries(examples))
      yield { name: `${name} at ${place}`, place, value };
  }
}

/** A segment of a JSON pointer within a URI's fragment (RFC 6901 section 6). */
function escaped(segment: string): string {
  return encodeURIComponent(segment.replaceAll("~", "~0").replaceAll("/", "~1"));
}
