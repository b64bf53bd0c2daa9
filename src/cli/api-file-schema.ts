import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { z } from "zod";
import { type Api, ApiSchema } from "../gen/keywarden/v1/api_pb.ts";
import { DURATION_SHAPE, parseDuration } from "../settings/duration.ts";
import { parseQuota } from "./option-values.ts";

/** Says what to write, or that nothing is there. */
const write = (what: string) => ({
  error: ({ input }: { readonly input?: unknown }) => (input === undefined ? "is missing" : `write ${what}`),
});

const word = z.string(write("text, in quotes if it looks like a number"));
const wholeNumber = z.uint32(write("a whole number"));

/** Text that `parse` reads. */
function text<Value>(what: string, parse: (text: string) => Value | undefined) {
  return word.transform((written, context): Value => {
    const value = parse(written);
    if (value !== undefined) return value;
    context.addIssue(`write ${what}`);
    return z.NEVER;
  });
}

const routeRule = z.strictObject({
  methods: z.array(word, write("a list, such as [GET]")).default([]),
  path: word,
  required_scope: word.default(""),
  cost: wholeNumber.default(1),
  environment: word.default(""),
});

const keyDefaults = z.strictObject({
  ttl: text(DURATION_SHAPE, parseDuration).optional(),
  rate_limits: z
    .record(
      z.string(),
      text("quota/window, such as 100/1m for 100 a minute", parseQuota),
      write("a line for each limit, such as default: 100/1m"),
    )
    .default({}),
});

const importedTokenShape = z.strictObject({
  prefix: word.default(""),
  min_length: wholeNumber,
  max_length: wholeNumber,
});

/** An API as people write it: the fields of keywarden.v1.Api, with the catalogue as name and description. */
export const apiFile = z.strictObject(
  {
    id: word,
    display_name: word,
    token_prefix: word,
    environments: z.array(word, write("a list, such as [test, live]")),
    scopes: z
      .record(z.string(), word.nullable(), write("a line for each scope, such as orders:read: Read orders"))
      .default({}),
    route_rules: z.array(routeRule, write("a list of rules")).default([]),
    key_defaults: keyDefaults.optional(),
    imported_token_shapes: z.array(importedTokenShape, write("a list of shapes")).default([]),
  },
  write("the fields of an API, such as id: c2p"),
);

/** The names of every field, wherever it belongs. */
export const API_FILE_FIELDS = [apiFile, routeRule, keyDefaults, importedTokenShape].flatMap(({ shape }) =>
  Object.keys(shape),
);

export function toApi(file: z.infer<typeof apiFile>): Api {
  const { ttl, rate_limits: rateLimits = {} } = file.key_defaults ?? {};
  const limits = Object.entries(rateLimits).map(([name, limit]) => ({ name, ...limit }));
  return create(ApiSchema, {
    apiId: file.id,
    displayName: file.display_name,
    tokenPrefix: file.token_prefix,
    environments: file.environments,
    scopes: Object.entries(file.scopes).map(([name, description]) => ({
      name,
      description: description ?? "",
    })),
    routeRules: file.route_rules.map(({ required_scope: requiredScope, ...rule }) => ({
      ...rule,
      requiredScope,
    })),
    keyDefaults: { rateLimits: limits, ...(ttl === undefined ? {} : { ttl: durationFromMs(ttl) }) },
    importedTokenShapes: file.imported_token_shapes.map((shape) => ({
      prefix: shape.prefix,
      minLength: shape.min_length,
      maxLength: shape.max_length,
    })),
  });
}
