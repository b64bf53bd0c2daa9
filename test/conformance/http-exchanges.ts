import { basic, bearer, type Headers } from "../e2e/http/http-server.ts";

/** What `<TOKEN>` and the like stand for in messages, once there is a server. */
export const secrets = { TOKEN: "", LIMITED: "", CALLER: "", READER: "", SPENT: "" };

export function filled<Value>(value: Value): Value {
  return JSON.parse(
    JSON.stringify(value).replace(/<([A-Z]+)>/g, (_, name: keyof typeof secrets) => secrets[name]),
  );
}

/** A request, in JSON or as a form, and the status that it is answered with. */
interface Exchange {
  readonly what: string;
  readonly path: "/v1/verify" | "/v1/verify:batch" | "/introspect";
  readonly message: Readonly<Record<string, unknown>>;
  readonly status: number;
  /** Whether the message is one that the description allows; it is, unless it is said. */
  readonly isDescribed?: boolean;
  readonly headers?: () => Headers;
}

const asCaller = () => bearer(secrets.CALLER);
const asReader = () => bearer(secrets.READER);
const asSpent = () => bearer(secrets.SPENT);

/** At least one for each answer that is described, but those that only a server gives that has failed. */
export const EXCHANGES: readonly Exchange[] = [
  {
    what: "allowed",
    path: "/v1/verify",
    message: { token: "<TOKEN>", requiredScope: "orders:read" },
    status: 200,
  },
  {
    what: "all fields",
    path: "/v1/verify",
    message: {
      token: "<TOKEN>",
      requiredScope: "orders:read",
      clientIp: "203.0.113.7",
      environment: "test",
      api: "c2p",
      cost: 1,
      dryRun: true,
    },
    status: 200,
  },
  { what: "a cost as a text", path: "/v1/verify", message: { token: "<TOKEN>", cost: "3" }, status: 200 },
  { what: "nulls", path: "/v1/verify", message: { token: null, cost: null, dryRun: null }, status: 200 },
  { what: "no token", path: "/v1/verify", message: {}, status: 200 },
  {
    what: "no such scope",
    path: "/v1/verify",
    message: { token: "<TOKEN>", requiredScope: "orders:write" },
    status: 200,
  },
  { what: "a limit", path: "/v1/verify", message: { token: "<LIMITED>" }, status: 200 },
  { what: "a limit that is spent", path: "/v1/verify", message: { token: "<LIMITED>" }, status: 200 },
  {
    what: "with a caller",
    path: "/v1/verify",
    message: { token: "<TOKEN>" },
    status: 200,
    headers: asCaller,
  },
  { what: "a broken scope", path: "/v1/verify", message: { requiredScope: "(" }, status: 400 },
  {
    what: "an unknown environment",
    path: "/v1/verify",
    message: { token: "<TOKEN>", api: "c2p", environment: "x" },
    status: 400,
  },
  { what: "an unknown API", path: "/v1/verify", message: { api: "x" }, status: 400 },
  { what: "an unknown name", path: "/v1/verify", message: { x: 1 }, status: 400, isDescribed: false },
  { what: "a wrong type", path: "/v1/verify", message: { token: 1 }, status: 400, isDescribed: false },
  { what: "a negative cost", path: "/v1/verify", message: { cost: -1 }, status: 400, isDescribed: false },
  {
    what: "a cost that is too high",
    path: "/v1/verify",
    message: { cost: 1_000_001 },
    status: 400,
  },
  {
    what: "a caller that is not valid",
    path: "/v1/verify",
    message: {},
    status: 401,
    headers: () => bearer("x"),
  },
  {
    what: "a caller without the scope",
    path: "/v1/verify",
    message: {},
    status: 403,
    headers: asReader,
  },
  {
    what: "a caller over its limit",
    path: "/v1/verify",
    message: {},
    status: 429,
    headers: asSpent,
  },
  { what: "a large body", path: "/v1/verify", message: { token: "x".repeat(70_000) }, status: 413 },
  {
    what: "another type",
    path: "/v1/verify",
    message: {},
    status: 415,
    headers: () => ({ "content-type": "text/plain" }),
  },
  {
    what: "each outcome",
    path: "/v1/verify:batch",
    message: { requests: [{ token: "<TOKEN>" }, {}, { requiredScope: "(" }] },
    status: 200,
  },
  {
    what: "an error in each item",
    path: "/v1/verify:batch",
    message: { requests: [{ api: "x" }] },
    status: 200,
  },
  { what: "no item", path: "/v1/verify:batch", message: { requests: [] }, status: 400, isDescribed: false },
  {
    what: "too many items",
    path: "/v1/verify:batch",
    message: { requests: Array.from({ length: 101 }, () => ({})) },
    status: 400,
    isDescribed: false,
  },
  { what: "no list", path: "/v1/verify:batch", message: { requests: {} }, status: 400, isDescribed: false },
  {
    what: "an active token",
    path: "/introspect",
    message: { token: "<TOKEN>" },
    status: 200,
    headers: asCaller,
  },
  {
    what: "by Basic",
    path: "/introspect",
    message: { token: "<TOKEN>", token_type_hint: "access_token" },
    status: 200,
    headers: () => basic("x", secrets.CALLER),
  },
  { what: "an inactive token", path: "/introspect", message: { token: "x" }, status: 200, headers: asCaller },
  { what: "no token", path: "/introspect", message: {}, status: 400, isDescribed: false, headers: asCaller },
  {
    what: "an empty token",
    path: "/introspect",
    message: { token: "" },
    status: 400,
    isDescribed: false,
    headers: asCaller,
  },
  { what: "no caller", path: "/introspect", message: { token: "x" }, status: 401 },
  {
    what: "a caller without the scope",
    path: "/introspect",
    message: { token: "x" },
    status: 403,
    headers: asReader,
  },
  {
    what: "a caller over its limit",
    path: "/introspect",
    message: { token: "x" },
    status: 429,
    headers: asSpent,
  },
  {
    what: "a large body",
    path: "/introspect",
    message: { token: "x".repeat(70_000) },
    status: 413,
    headers: asCaller,
  },
  {
    what: "another type",
    path: "/introspect",
    message: { token: "x" },
    status: 415,
    headers: () => ({ ...asCaller(), "content-type": "text/plain" }),
  },
];
