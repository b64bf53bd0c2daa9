import { describe, expect, it } from "vitest";
import { parseLimits } from "./limit-list.ts";

const limit = { name: "requests", limit: 100, duration: 60_000 };

describe("a list of limits", () => {
  it("has the name, quota and window of each", () => {
    expect(parseLimits([limit, { name: "API Calls!", limit: "5", duration: "1h", autoApply: true }])).toEqual(
      {
        value: [
          { name: "requests", quota: 100, window: 60_000 },
          { name: "api-calls", quota: 5, window: 3_600_000 },
        ],
      },
    );
  });

  it("may be a text, as a database has it", () => {
    expect(parseLimits(JSON.stringify([limit]))).toMatchObject({ value: [{ quota: 100 }] });
  });

  it("is without those that count only where they are named", () => {
    expect(parseLimits([{ ...limit, autoApply: false }])).toEqual({ value: [] });
    expect(parseLimits([{ ...limit, autoApply: 0 }])).toEqual({ value: [] });
  });

  it.each([
    ["no list", limit],
    ["no objects", [1]],
    ["half a limit", [{ name: "requests", limit: 100 }]],
    ["no number", [{ ...limit, limit: "many" }]],
    ["neither true nor false", [{ ...limit, autoApply: "maybe" }]],
  ])("that is %s is a problem", (_what, value) => {
    expect(parseLimits(value)).toHaveProperty("problem");
  });

  it.each(["", "123", "!!!", "ünï"])("gives a limit named %j a name that it can have here", (name) => {
    expect(parseLimits([{ ...limit, name }])).toMatchObject({
      value: [{ name: expect.stringMatching(/^[a-z][a-z0-9_-]{0,31}$/) }],
    });
  });
});
