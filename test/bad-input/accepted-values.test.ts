import { describe, expect, it } from "vitest";
import { verdictsOn } from "./accepted-values.ts";
import { badValues } from "./bad-values.ts";
import type { FieldPlace } from "./field-places.ts";

/** The labels of the values of which a new field of this kind may take none. */
function refusedOf(kind: FieldPlace["kind"]): readonly string[] {
  const place: FieldPlace = { path: "new_field", name: "Request.new_field", kind, within: [], steps: [] };
  return badValues(place, undefined, { seed: 1, secret: "kw_live_secret" })
    .filter(({ meaning }) => !verdictsOn("Method", place, meaning).includes("OK"))
    .map(({ label }) => label);
}

describe("a field that has no rule yet fails the trial if it takes", () => {
  it.each<[FieldPlace["kind"], readonly string[]]>([
    ["int32", ["-1", "2147483647", "-2147483648"]],
    ["uint32", ["4294967295"]],
    ["int64", ["-1", "9007199254740991", "9223372036854775807", "-9223372036854775808"]],
    ["enum", ["99", "-1", "2147483647"]],
    ["duration", ["0 s and -1 ns", "-1 s and 0 ns", "-315576000000 s and 0 ns", "284601600000 s and 0 ns"]],
    ["timestamp", ["253402300800 s and 0 ns"]],
    ["string", ["NUL at its end", "20000 letters"]],
  ])("in place of %s: %o", (kind, labels) => {
    expect(refusedOf(kind)).toEqual(expect.arrayContaining([...labels]));
  });

  it("but not for what may well be good", () => {
    for (const kind of ["int32", "uint32", "int64", "enum", "bool"] as const) {
      expect(refusedOf(kind)).not.toContain("0");
      expect(refusedOf(kind)).not.toContain("1");
    }
    expect(refusedOf("duration")).not.toContain("60 s and 500000000 ns");
  });
});
