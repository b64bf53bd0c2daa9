import { expect, it } from "vitest";
import { credentialOf } from "./credential.ts";

const REFUSED = "INVALID_CREDENTIAL";

function read(values: readonly string[], name = "authorization"): string {
  try {
    return credentialOf(name, values);
  } catch (error) {
    return error instanceof Error && "reason" in error ? String(error.reason) : "?";
  }
}

it("is the token after Bearer, however that is written", () => {
  expect(read(["Bearer abc"])).toBe("abc");
  expect(read(["bearer  abc"])).toBe("abc");
  expect(read([" BEARER abc "])).toBe("abc");
});

it("is none without a header, or with another scheme", () => {
  expect(read([])).toBe("");
  expect(read([""])).toBe("");
  expect(read(["Basic YTpi"])).toBe("");
  expect(read(["Bearerabc"])).toBe("");
});

it("is the whole of any other header", () => {
  expect(read(["abc"], "x-api-key")).toBe("abc");
  expect(read([" abc "], "x-api-key")).toBe("abc");
  expect(read(["Bearer abc"], "x-api-key")).toBe(REFUSED);
});

it("is refused where there are two, however they were joined", () => {
  for (const name of ["authorization", "x-api-key"]) {
    expect(read(["Bearer a", "Bearer b"], name)).toBe(REFUSED);
    expect(read(["Bearer a", "Bearer a"], name)).toBe(REFUSED);
    expect(read(["", "Bearer a"], name)).toBe(REFUSED);
    expect(read(["Bearer a,Bearer b"], name)).toBe(REFUSED);
    expect(read(["Basic a, Bearer b"], name)).toBe(REFUSED);
    expect(read([",a"], name)).toBe(REFUSED);
  }
});

it("is refused where it is no token", () => {
  for (const value of ["Bearer", "Bearer ", "Bearer a b", "Bearer \u00e9", "Bearer a\tb", "Bearer a\u0000"]) {
    expect([value, read([value])]).toEqual([value, REFUSED]);
  }
});
