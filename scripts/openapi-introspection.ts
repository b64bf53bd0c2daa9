import { INTROSPECTION_EXAMPLES } from "./openapi-examples.ts";
import { type JsonSchema, reference } from "./openapi-schemas.ts";

const SECONDS = { type: "integer", minimum: 0, description: "Seconds since the epoch." };

/** Of errors, by status: what they are told for. */
const ERRORS: Readonly<Record<string, string>> = {
  "400": "The form is wrong, or nothing says which environment the caller serves.",
  "401": "The caller has no credential, or one that is not valid.",
  "403": "The caller's credential does not cover `verify:call`, or may not be used from its address.",
  "413": "The body is larger than 64 KiB.",
  "415": "The body is not a form, or is compressed.",
  "429": "The caller's credential is over its rate limit.",
  "503": "It could not be decided: to be treated as inactive.",
};

/** POST /introspect (RFC 7662), which is no message of the contract. */
export const INTROSPECTION = {
  operationId: "introspect",
  summary: "Introspects a token (RFC 7662)",
  description:
    "A token that is not allowed, whatever for, is inactive. Introspection is no use of the key: no rate limit is charged.",
  tags: ["introspection"],
  security: [{ basic: [] }, { bearer: [] }],
  requestBody: {
    required: true,
    content: {
      "application/x-www-form-urlencoded": { schema: reference("IntrospectionRequest") },
    },
  },
  responses: {
    "200": {
      description: "What there is to say of the token.",
      content: {
        "application/json": { schema: reference("IntrospectionResponse"), examples: INTROSPECTION_EXAMPLES },
      },
    },
    ...Object.fromEntries(
      Object.keys(ERRORS).map((status) => [status, { $ref: `#/components/responses/OAuthError${status}` }]),
    ),
  },
};

export const INTROSPECTION_ERRORS: JsonSchema = Object.fromEntries(
  Object.entries(ERRORS).map(([status, description]) => [
    `OAuthError${status}`,
    { description, content: { "application/json": { schema: reference("OAuthError") } } },
  ]),
);

export const INTROSPECTION_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  IntrospectionRequest: {
    type: "object",
    description: "RFC 7662 section 2.1. Parameters that are not known are ignored.",
    properties: {
      token: { type: "string", minLength: 1, description: "The token as the client sent it." },
      token_type_hint: { type: "string", description: "Ignored: all tokens are of one type." },
    },
    required: ["token"],
    additionalProperties: { type: "string" },
  },
  IntrospectionResponse: {
    description: "RFC 7662 section 2.2.",
    oneOf: [reference("ActiveToken"), reference("InactiveToken")],
  },
  InactiveToken: {
    type: "object",
    properties: { active: { type: "boolean", const: false } },
    required: ["active"],
    additionalProperties: false,
  },
  ActiveToken: {
    type: "object",
    properties: {
      active: { type: "boolean", const: true },
      scope: { type: "string", description: "The key's grants, wildcards included, separated by spaces." },
      client_id: { type: "string", description: "The key's id." },
      token_type: { type: "string", const: "Bearer" },
      exp: { ...SECONDS, description: "When the token ends. Absent: never. Seconds since the epoch." },
      iat: {
        ...SECONDS,
        description: "When it was issued. Absent: after a rotation. Seconds since the epoch.",
      },
      sub: { type: "string", description: "The key's owner." },
      aud: { type: "string", description: "The key's API." },
      iss: { type: "string", description: "The issuer, as its metadata has it." },
      jti: { type: "string", description: "The key's id." },
      keywarden_environment: { type: "string", description: "The key's environment." },
      keywarden_display_name: { type: "string", description: "The key's name for people, if it has one." },
      keywarden_metadata: {
        type: "object",
        description: "The operator's own labels, if there are any.",
        additionalProperties: { type: "string" },
      },
    },
    required: [
      "active",
      "scope",
      "client_id",
      "token_type",
      "sub",
      "aud",
      "iss",
      "jti",
      "keywarden_environment",
    ],
  },
  OAuthError: {
    type: "object",
    description: "RFC 6749 section 5.2.",
    properties: { error: { type: "string" }, error_description: { type: "string" } },
    required: ["error", "error_description"],
  },
};
