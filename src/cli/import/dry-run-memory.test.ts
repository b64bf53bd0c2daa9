import { hash } from "node:crypto";
import { expect, it } from "vitest";
import { DryRunMemory } from "./dry-run-memory.ts";

const keyOf = (name: string) => ({
  token: { case: "tokenSha256" as const, value: hash("sha256", name, "buffer") },
});

it("a token is seen a second time, until more are remembered than may be", () => {
  const memory = new DryRunMemory(2);
  const seen = ["a", "b", "c", "a", "b", "c"].map((name) => memory.hasSeen(keyOf(name)));
  expect(seen).toEqual([false, false, false, true, true, false]);
});
