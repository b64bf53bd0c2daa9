import { hash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseLabels, parseList, parseMilliseconds, parseSwitch, parseTime } from "./row-values.ts";
import { HASH_FORMATS, parseHash } from "./token-hash.ts";

describe("a hash", () => {
  const encodings = {
    "sha256-hex": "hex",
    "sha256-base64": "base64",
    "sha256-base64url": "base64url",
  } as const;
  const formats = HASH_FORMATS.filter((format) => format !== "plaintext");

  it.each(formats)(
    "in the format %s is read as its bytes, and in no other format but by chance",
    (format) => {
      fc.assert(
        fc.property(fc.string(), (token) => {
          const bytes = hash("sha256", token, "buffer");
          expect(parseHash(bytes.toString(encodings[format]), format)).toEqual({ value: bytes });
        }),
      );
    },
  );

  it("in base64url may be padded, and hexadecimal digits may be capitals", () => {
    const bytes = hash("sha256", "a", "buffer");
    expect(parseHash(`${bytes.toString("base64url")}=`, "sha256-base64url")).toEqual({ value: bytes });
    expect(parseHash(bytes.toString("hex").toUpperCase(), "sha256-hex")).toEqual({ value: bytes });
  });

  it.each(formats)("that is none in the format %s is told by its length alone", (format) => {
    for (const text of ["", "secret", "x".repeat(64), "A".repeat(43), `${"B".repeat(43)}=`]) {
      const parsed = parseHash(text, format);
      if ("value" in parsed) expect(parsed.value).toHaveLength(32);
      else expect(parsed.problem).toContain(`has ${text.length} characters`);
    }
    expect(JSON.stringify(parseHash("secret", format))).not.toContain("secret");
  });
});

describe("a time", () => {
  it.each([
    ["2027-01-31T09:00:00Z", "2027-01-31T09:00:00.000Z"],
    ["2027-01-31 09:00:00.123456", "2027-01-31T09:00:00.123Z"],
    ["2027-01-31 09:00:00+00", "2027-01-31T09:00:00.000Z"],
    ["2027-01-31 09:00:00.5+02:00", "2027-01-31T07:00:00.500Z"],
    ["2027-01-31T09:00:00-0530", "2027-01-31T14:30:00.000Z"],
    ["2027-01-31 09:00", "2027-01-31T09:00:00.000Z"],
    ["2027-01-31 09:00:00 UTC", "2027-01-31T09:00:00.000Z"],
    ["2027-01-31", "2027-01-31T00:00:00.000Z"],
    [1_801_386_000, "2027-01-31T09:00:00.000Z"],
    ["1801386000", "2027-01-31T09:00:00.000Z"],
    [1_801_386_000_000, "2027-01-31T09:00:00.000Z"],
  ])("written as %s is read", (written, expected) => {
    const parsed = parseTime(written);
    expect("value" in parsed && new Date(parsed.value).toISOString()).toBe(expected);
  });

  it.each(["soon", "31.01.2027", "2027-13-01", "2027-02-30", "-5", "1e9", "2027-01-31T25:00:00Z", true])(
    "is not %s",
    (written) => {
      expect(parseTime(written)).toHaveProperty("problem");
    },
  );

  it("is the same whatever ISO 8601 says it with", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true }),
        (date) => {
          expect(parseTime(date.toISOString())).toEqual({ value: date.getTime() });
        },
      ),
    );
  });
});

it("a switch is what databases write for one", () => {
  for (const yes of ["true", "t", "1", 1, true, "YES"]) expect(parseSwitch(yes)).toEqual({ value: true });
  for (const no of ["false", "f", "0", 0, false, "no"]) expect(parseSwitch(no)).toEqual({ value: false });
  for (const none of ["maybe", 2, [], "on fire"]) expect(parseSwitch(none)).toHaveProperty("problem");
});

it("a list is JSON, or words; an object of lists gives each with its name", () => {
  const lists: [unknown, string[]][] = [
    ["a:read, b:write", ["a:read", "b:write"]],
    ["a b\tc", ["a", "b", "c"]],
    ['["a","b c"]', ["a", "b c"]],
    [
      ["a", 1],
      ["a", "1"],
    ],
    ['{"files":["read","write"],"users":["read"]}', ["files:read", "files:write", "users:read"]],
    [{ files: ["read"] }, ["files:read"]],
    ['"[\\"a\\"]"', ["a"]],
    ["", []],
    ["null", []],
    ["[a", ["[a"]],
  ];
  for (const [written, expected] of lists) expect(parseList(written)).toEqual({ value: expected });
  expect(parseList(5)).toHaveProperty("problem");
});

it("labels are an object of JSON, whose values become texts", () => {
  expect(parseLabels('{"plan":"pro","seats":3,"beta":true,"tags":["a"],"none":null}')).toEqual({
    value: { plan: "pro", seats: "3", beta: "true", tags: '["a"]' },
  });
  expect(parseLabels('"{\\"plan\\":\\"pro\\"}"')).toEqual({ value: { plan: "pro" } });
  expect(parseLabels("plan=pro")).toHaveProperty("problem");
});

it("a window is milliseconds, or a duration", () => {
  expect(parseMilliseconds("60000")).toEqual({ value: 60_000 });
  expect(parseMilliseconds("1m")).toEqual({ value: 60_000 });
  expect(parseMilliseconds("a while")).toHaveProperty("problem");
});

it("what is wrong never repeats the value: it may be a token in the wrong column", () => {
  const secret = "sk_live_in_the_wrong_column";
  for (const parse of [parseTime, parseSwitch, parseLabels, parseMilliseconds])
    expect(JSON.stringify(parse(secret))).not.toContain("wrong_column");
});
