import { expect, it } from "vitest";
import { throttled } from "./throttled.ts";

it("is heard at once, then once a minute with all that came between", () => {
  let now = 0;
  const heard: [number, string][] = [];
  const tell = throttled<string>(
    60_000,
    (amount, detail) => heard.push([amount, detail]),
    () => now,
  );
  tell(2, "a");
  tell(3, "b");
  now = 59_999;
  tell(4, "c");
  expect(heard).toEqual([[2, "a"]]);
  now = 60_000;
  tell(1, "d");
  expect(heard).toEqual([
    [2, "a"],
    [8, "d"],
  ]);
});
