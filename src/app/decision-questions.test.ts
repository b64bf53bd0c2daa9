import { expect, it } from "vitest";
import { question } from "../../test/support/question.ts";
import { testApi } from "../../test/support/records.ts";
import { get } from "../../test/support/routed.ts";
import type { PresentedToken } from "../domain/decision.ts";
import { compileGrants } from "../domain/scope.ts";
import { satisfies } from "../domain/scope-expression.ts";
import { ApiDirectory } from "./api-directory.ts";
import { DecisionQuestions } from "./decision-questions.ts";

it.each<PresentedToken>([
  { kind: "missing" },
  { kind: "malformed" },
  { kind: "native", api: undefined, environment: "test" },
])("for %j no rule is looked for, and what is asked instead no key has", (token) => {
  const apis = new ApiDirectory([testApi()]);
  const { requiredScope } = new DecisionQuestions(undefined).of(
    { request: question(get("/nowhere")) },
    token,
    undefined,
    apis,
  );
  expect(satisfies(requiredScope, compileGrants(["*"]))).toBe(false);
});
