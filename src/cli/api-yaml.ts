import { Document, isMap, isSeq, visit } from "yaml";
import type { Api } from "../gen/keywarden/v1/api_pb.ts";
import { durationText } from "./time-text.ts";

function says(value: unknown): boolean {
  if (value === undefined || value === "") return false;
  return typeof value !== "object" || value === null || Object.keys(value).length > 0;
}

/** Drops what says nothing, so that two files that mean the same read the same. */
function spoken(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => says(value)));
}

/** What `api apply` reads of an API, by field, in one normal form. Output-only fields are left out. */
export function apiFields(api: Api): Record<string, unknown> {
  const { ttl, rateLimits = [] } = api.keyDefaults ?? {};
  return spoken({
    id: api.apiId,
    display_name: api.displayName,
    token_prefix: api.tokenPrefix,
    environments: api.environments,
    scopes: Object.fromEntries(api.scopes.map(({ name, description }) => [name, description])),
    route_rules: api.routeRules.map((rule) =>
      spoken({
        methods: rule.methods,
        path: rule.path,
        required_scope: rule.requiredScope,
        cost: rule.cost > 1 ? rule.cost : undefined,
        environment: rule.environment,
      }),
    ),
    key_defaults: spoken({
      ttl: ttl === undefined ? undefined : durationText(ttl),
      rate_limits: Object.fromEntries(
        rateLimits.map(({ name, quota, window }) => [name, `${quota}/${durationText(window)}`]),
      ),
    }),
    imported_token_shapes: api.importedTokenShapes.map(({ prefix, minLength, maxLength }) =>
      spoken({ prefix, min_length: minLength, max_length: maxLength }),
    ),
  });
}

/** The same as YAML. */
export function apiYaml(api: Api): string {
  const document = new Document(apiFields(api));
  // A rule, a shape and a list of words fit a line each, which makes a diff of them readable.
  visit(document, {
    Collection(_key, node, path) {
      const inList = path.some((parent) => isSeq(parent));
      if (inList || (isSeq(node) && !node.items.some(isMap))) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}
