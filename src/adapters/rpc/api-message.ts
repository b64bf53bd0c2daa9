import { create } from "@bufbuild/protobuf";
import { durationFromMs, type FieldMask, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ApiInput } from "../../app/create-api.ts";
import { etagOf } from "../../app/refusals.ts";
import type { ApiPatch } from "../../app/update-api.ts";
import type { Api, ApiId, Environment } from "../../domain/api.ts";
import { type Api as ApiMessage, ApiSchema } from "../../gen/keywarden/v1/api_pb.ts";
import { maskedFields } from "./field-mask.ts";
import { durationMilliseconds } from "./moments.ts";
import { rateLimitsOf, rateLimitToMessage } from "./rate-limit-message.ts";

export function apiToMessage(api: Api): ApiMessage {
  const { ttl, rateLimits } = api.keyDefaults;
  return create(ApiSchema, {
    apiId: api.id,
    displayName: api.displayName,
    tokenPrefix: api.tokenPrefix,
    environments: [...api.environments],
    scopes: [...api.scopes],
    routeRules: api.routeRules.map((rule) => ({ ...rule, methods: [...rule.methods] })),
    keyDefaults: {
      ...(ttl !== null && { ttl: durationFromMs(ttl) }),
      rateLimits: rateLimits.map(rateLimitToMessage),
    },
    importedTokenShapes: [...api.importedTokenShapes],
    createTime: timestampFromMs(api.createTime),
    updateTime: timestampFromMs(api.updateTime),
    etag: etagOf(api.revision),
  });
}

/** Fields that can be changed, by their name in the proto. */
const PATCHES = {
  display_name: ({ displayName }: ApiMessage) => ({ displayName }),
  environments: ({ environments }: ApiMessage) => ({ environments: environments as Environment[] }),
  scopes: ({ scopes }: ApiMessage) => ({
    scopes: scopes.map(({ name, description }) => ({ name, description })),
  }),
  route_rules: ({ routeRules }: ApiMessage) => ({
    routeRules: routeRules.map(({ methods, path, requiredScope, cost, environment }) => ({
      methods,
      path,
      requiredScope,
      cost: cost === 0 ? 1 : cost,
      environment,
    })),
  }),
  key_defaults: ({ keyDefaults }: ApiMessage) => ({
    keyDefaults: {
      ttl:
        keyDefaults?.ttl === undefined ? null : durationMilliseconds(keyDefaults.ttl, "api.key_defaults.ttl"),
      rateLimits: rateLimitsOf(keyDefaults?.rateLimits ?? [], "api.key_defaults.rate_limits"),
    },
  }),
  imported_token_shapes: ({ importedTokenShapes }: ApiMessage) => ({
    importedTokenShapes: importedTokenShapes.map(({ prefix, minLength, maxLength }) => ({
      prefix,
      minLength,
      maxLength,
    })),
  }),
} satisfies Record<string, (api: ApiMessage) => ApiPatch>;

export function apiInputOf(api: ApiMessage): ApiInput {
  return {
    id: api.apiId as ApiId,
    tokenPrefix: api.tokenPrefix,
    ...PATCHES.display_name(api),
    ...PATCHES.environments(api),
    ...PATCHES.scopes(api),
    ...PATCHES.route_rules(api),
    ...PATCHES.key_defaults(api),
    ...PATCHES.imported_token_shapes(api),
  };
}

/** Throws INVALID_ARGUMENT for a mask that names what is no field or can't be changed. */
export function apiPatchOf(api: ApiMessage, mask: FieldMask | undefined): ApiPatch {
  const fields = maskedFields(ApiSchema, api, mask, Object.keys(PATCHES) as (keyof typeof PATCHES)[]);
  return Object.assign({}, ...fields.map((field) => PATCHES[field](api)));
}
