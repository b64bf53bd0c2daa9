/** Of tokens that nobody has issued. */
const TOKEN = "c2p_test_0123456789abcdefghijABCDEFGHIJ0123456789";

const ALLOWED = {
  allowed: true,
  reason: "REASON_ALLOWED",
  message: "allowed",
  httpStatus: 200,
  wwwAuthenticate: "",
  key: {
    keyId: "0193b0a8-0000-7000-8000-000000000001",
    api: "c2p",
    environment: "test",
    owner: "acct_42",
    displayName: "CI",
    scopes: ["orders:read", "files:*"],
    metadata: { plan: "gold" },
    expireTime: "2027-01-01T00:00:00Z",
  },
  rateLimit: { name: "default", quota: 100, window: "60s", remaining: 99, resetAfter: "0.600s" },
  decideTime: "2026-01-01T00:00:00.123Z",
  revision: "42",
};

const DENIED = {
  allowed: false,
  reason: "REASON_INSUFFICIENT_SCOPE",
  message: "the API key does not have the required scope",
  httpStatus: 403,
  wwwAuthenticate:
    'Bearer realm="c2p", error="insufficient_scope", error_description="the API key does not have the required scope", scope="orders:write"',
  decideTime: "2026-01-01T00:00:00.123Z",
  revision: "42",
};

export const VERIFY_EXAMPLES = {
  request: {
    token: { summary: "Any valid key will do", value: { token: TOKEN } },
    scope: {
      summary: "A scope, from an address",
      value: { token: TOKEN, requiredScope: "orders:read", clientIp: "203.0.113.7", environment: "test" },
    },
  },
  response: {
    allowed: { summary: "Allowed", value: ALLOWED },
    denied: { summary: "Denied", value: DENIED },
  },
};

export const BATCH_EXAMPLES = {
  request: {
    two: {
      summary: "Two tokens",
      value: { requests: [{ token: TOKEN }, { token: TOKEN, requiredScope: "(" }] },
    },
  },
  response: {
    outcomes: {
      summary: "A decision, and an error in its place",
      value: {
        results: [
          { response: ALLOWED },
          {
            error: {
              code: 3,
              message: 'required_scope: at character 2, near "(>>>": a scope is missing',
              details: [
                {
                  "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                  reason: "INVALID_SCOPE_EXPRESSION",
                  domain: "keywarden",
                  metadata: {},
                },
              ],
            },
          },
        ],
      },
    },
  },
};

export const PROBLEM_EXAMPLE = {
  field: {
    summary: "A field breaks its rule",
    value: {
      type: "about:blank",
      title: "Bad Request",
      status: 400,
      detail: "cost: must be 0 to 1000000",
      code: "INVALID_ARGUMENT",
      reason: "INVALID_COST",
      violations: [{ field: "cost", description: "must be 0 to 1000000" }],
    },
  },
};

export const INTROSPECTION_EXAMPLES = {
  active: {
    summary: "Active",
    value: {
      active: true,
      scope: "orders:read files:*",
      client_id: "0193b0a8-0000-7000-8000-000000000001",
      token_type: "Bearer",
      exp: 1_798_761_600,
      iat: 1_767_225_600,
      sub: "acct_42",
      aud: "c2p",
      iss: "https://keys.example.com",
      jti: "0193b0a8-0000-7000-8000-000000000001",
      keywarden_environment: "test",
      keywarden_display_name: "CI",
      keywarden_metadata: { plan: "gold" },
    },
  },
  inactive: { summary: "Any other token", value: { active: false } },
};
