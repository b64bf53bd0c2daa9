import { BATCH_EXAMPLES, PROBLEM_EXAMPLE, VERIFY_EXAMPLES } from "./openapi-examples.ts";
import { INTROSPECTION, INTROSPECTION_ERRORS, INTROSPECTION_SCHEMAS } from "./openapi-introspection.ts";
import { type JsonSchema, reference, schemasOf } from "./openapi-schemas.ts";

const REQUESTS = ["keywarden.v1.VerifyKeyRequest", "keywarden.v1.BatchVerifyKeysRequest"];
const RESPONSES = ["keywarden.v1.VerifyKeyResponse", "keywarden.v1.BatchVerifyKeysResponse"];

/** Of problem details, by status: what they are told for. */
const ERRORS: Readonly<Record<string, string>> = {
  "400": "The request is wrong, or contradicts what its caller is bound to.",
  "401": "The caller has no credential where one is needed, or one that is not valid.",
  "403": "The caller's credential does not cover `verify:call`, or may not be used from its address.",
  "413": "The body is larger than 64 KiB.",
  "415": "The body is not JSON, or is compressed.",
  "429": "The caller's credential is over its rate limit.",
  "503": "It could not be decided: to be treated as a denial.",
};

const PROBLEM: JsonSchema = {
  type: "object",
  description: "Problem details (RFC 9457).",
  properties: {
    type: { type: "string", const: "about:blank" },
    title: { type: "string", description: "The status in words." },
    status: { type: "integer", description: "The HTTP status." },
    detail: { type: "string", description: "What is wrong, and what to do." },
    code: { type: "string", description: "The status that the call would have over gRPC, by its name." },
    reason: { type: "string", description: "UPPER_SNAKE, stable: what programs compare." },
    violations: {
      type: "array",
      description: "Each field that breaks its rule, by its name in the proto.",
      items: {
        type: "object",
        properties: { field: { type: "string" }, description: { type: "string" } },
        required: ["field", "description"],
      },
    },
  },
  required: ["type", "title", "status", "detail"],
};

/** What GET /openapi.json answers: the data plane over HTTP, made from the contract (OpenAPI 3.1). */
export function openapi(): string {
  const document = {
    openapi: "3.1.1",
    info: {
      title: "Keywarden, data plane",
      version: "1",
      summary: "Verifies and introspects API keys.",
      description:
        "The same decisions as over gRPC (keywarden.v1.VerifyService), in protobuf's JSON mapping; and token introspection " +
        "(RFC 7662). Fields may also be written as in the proto, such as `required_scope`; other names are refused, and a " +
        "field or parameter may be there once.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "Where this document comes from." }],
    tags: [
      { name: "verification", description: "May this caller do this, now, from there?" },
      { name: "introspection", description: "For OAuth clients." },
    ],
    paths: {
      "/v1/verify": {
        post: operation({
          id: "verifyKey",
          summary: "Verifies one token",
          description:
            "A denial is an answer with a reason, and has status 200; any other status says that nothing was allowed.",
          messages: ["VerifyKeyRequest", "VerifyKeyResponse"],
          examples: VERIFY_EXAMPLES,
        }),
      },
      "/v1/verify:batch": {
        post: operation({
          id: "batchVerifyKeys",
          summary: "Verifies up to 100 tokens at once",
          description: "Each has an outcome of its own, in the order of the requests.",
          messages: ["BatchVerifyKeysRequest", "BatchVerifyKeysResponse"],
          examples: BATCH_EXAMPLES,
        }),
      },
      "/introspect": { post: INTROSPECTION },
    },
    components: {
      schemas: {
        ...schemasOf(REQUESTS, "request"),
        ...schemasOf(RESPONSES, "response"),
        Problem: PROBLEM,
        ...INTROSPECTION_SCHEMAS,
      },
      responses: { ...problems(), ...INTROSPECTION_ERRORS },
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "A key of the API keywarden that covers `verify:call`.",
        },
        basic: { type: "http", scheme: "basic", description: "The same as the password; any user name." },
      },
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

interface Operation {
  readonly id: string;
  readonly summary: string;
  readonly description: string;
  /** Request and response. */
  readonly messages: readonly [string, string];
  readonly examples: { readonly request: JsonSchema; readonly response: JsonSchema };
}

function operation({ id, summary, description, messages: [request, response], examples }: Operation) {
  return {
    operationId: id,
    summary,
    description,
    tags: ["verification"],
    // None at a listener that only its own machine reaches.
    security: [{ bearer: [] }, {}],
    requestBody: {
      required: true,
      content: { "application/json": { schema: reference(request), examples: examples.request } },
    },
    responses: {
      "200": {
        description: "The decision, whatever it is.",
        content: { "application/json": { schema: reference(response), examples: examples.response } },
      },
      ...Object.fromEntries(
        Object.keys(ERRORS).map((status) => [status, { $ref: `#/components/responses/Problem${status}` }]),
      ),
    },
  };
}

function problems(): JsonSchema {
  return Object.fromEntries(
    Object.entries(ERRORS).map(([status, description]) => [
      `Problem${status}`,
      {
        description,
        content: {
          "application/problem+json": {
            schema: reference("Problem"),
            ...(status === "400" && { examples: PROBLEM_EXAMPLE }),
          },
        },
      },
    ]),
  );
}
