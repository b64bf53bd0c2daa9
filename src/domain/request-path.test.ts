import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { LONGEST_REQUEST_PATH, readRequestPath } from "./request-path.ts";

const read = (target: string) => {
  const parsed = readRequestPath(target);
  return "value" in parsed ? parsed.value : undefined;
};
const problem = (target: string) => {
  const parsed = readRequestPath(target);
  return "problem" in parsed ? parsed.problem : undefined;
};

describe("a path that everybody reads alike", () => {
  test.each([
    ["/", "/"],
    ["/api/v1/orders/7", "/api/v1/orders/7"],
    ["/api/v1/orders/", "/api/v1/orders/"],
    ["/api/v1/orders?page=2&next=/../x#;%zz\\", "/api/v1/orders"],
    ["/?", "/"],
    ["/api/%61dmin", "/api/admin"],
    ["/%7Euser/a%2Db%2ec%5F", "/~user/a-b.c_"],
    ["/v1/a%40b:cancel%3A%21", "/v1/a@b:cancel:!"],
    ["/a%20b%22%7C", '/a b"|'],
    ["/caf%C3%A9/%F0%9F%98%80", "/café/😀"],
    ["/...", "/..."],
    ["/.well-known/a..b/..c", "/.well-known/a..b/..c"],
    ["/%2e%2e%2e", "/..."],
    ['/a[1]|{b}^`"<>', '/a[1]|{b}^`"<>'],
    [`/${"x".repeat(LONGEST_REQUEST_PATH - 1)}`, `/${"x".repeat(LONGEST_REQUEST_PATH - 1)}`],
    [`/a?${"x".repeat(100_000)}`, "/a"],
  ])("%j is read as %j", (target, path) => expect(read(target)).toBe(path));
});

describe("what an upstream might read in another way is refused, and said why", () => {
  const START = "does not start with '/'";
  const RAW = "has a space, a control character or one beyond ASCII as it is: it has to be escaped";
  const BACKSLASH = "has a backslash (%5C), which some servers take for a slash";
  const SLASH = "has an escaped slash (%2F), which some servers take for a slash";
  const SEMICOLON = "has a ';' (%3B), behind which some servers see no path any more";
  const DELIMITER = "has an escaped '?' or '#' (%3F, %23), behind which some servers see no path any more";
  const TWICE = "has an escaped '%' (%25), which may be decoded twice";
  const DIGITS = "has a '%' without two hexadecimal digits";
  const EMPTY = "has an empty segment (//), which some servers leave out";
  const UTF_8 = "has escapes that are no UTF-8";
  const CONTROL = "has an escaped control character";
  const DOTS = "has a segment '.' or '..', by which some servers go elsewhere";

  test.each([
    ["", START],
    ["*", START],
    ["api", START],
    ["?/a", START],
    ["http://example.com/a", START],
    ["example.com:443", START],
    ["\\a", START],
    ["%2fa", START],
    ["/a b", RAW],
    ["/a\0", RAW],
    ["/a\tb", RAW],
    ["/a\u007f", RAW],
    ["/a\u0085", RAW],
    ["/é", RAW],
    ["/\uff0e\uff0e/a", RAW],
    ["/\ud800", RAW],
    ["/a#b", "has a '#', behind which nothing belongs to a path"],
    ["/a#", "has a '#', behind which nothing belongs to a path"],
    ["/a\\b", BACKSLASH],
    ["/a%5cb", BACKSLASH],
    ["/a%5Cb", BACKSLASH],
    ["/a%2fb", SLASH],
    ["/a%2Fb", SLASH],
    ["/a;b", SEMICOLON],
    ["/a;", SEMICOLON],
    ["/a/..;/b", SEMICOLON],
    ["/a%3bb", SEMICOLON],
    ["/a%3Bb", SEMICOLON],
    ["/a%3fb", DELIMITER],
    ["/a%23b", DELIMITER],
    ["/a%252fb", TWICE],
    ["/a%25", TWICE],
    ["/a%2", DIGITS],
    ["/a%", DIGITS],
    ["/a%zz", DIGITS],
    ["/a%u002f", DIGITS],
    ["//", EMPTY],
    ["//a", EMPTY],
    ["/a//b", EMPTY],
    ["/a//", EMPTY],
    ["/a/%c0%ae%c0%ae/b", UTF_8],
    ["/a%c0%af", UTF_8],
    ["/%ff", UTF_8],
    ["/%ed%a0%80", UTF_8],
    ["/%e2%82", UTF_8],
    ["/a%00", CONTROL],
    ["/a%0d%0aX", CONTROL],
    ["/a%1f", CONTROL],
    ["/a%7f", CONTROL],
    ["/a%c2%85", CONTROL],
    ["/.", DOTS],
    ["/..", DOTS],
    ["/a/./b", DOTS],
    ["/a/../b", DOTS],
    ["/a/..?x", DOTS],
    ["/a/%2e", DOTS],
    ["/a/%2e%2E/b", DOTS],
    ["/a/.%2e/b", DOTS],
    ["/a/%2E./", DOTS],
    [`/${"x".repeat(LONGEST_REQUEST_PATH)}`, "has at most 8192 characters, this one 8193"],
  ])("%j", (target, why) => expect(problem(target)).toBe(why));
});

describe("whatever is sent", () => {
  /** Mostly what harm is done with. */
  const piece = fc.oneof(
    fc.constantFrom(..."/.%;\\?#:*~ab", "..", "/", "//", "%2e", "%2E", "%2f", "%2F", "%5c", "%00", "%25"),
    fc.constantFrom(
      "%61",
      "%41",
      "%7e",
      "%20",
      "%3a",
      "%3b",
      "%3f",
      "%23",
      "%c3%a9",
      "%c0%ae",
      "%e2",
      "%",
      "é",
    ),
    fc.integer({ min: 0, max: 255 }).map((byte) => `%${byte.toString(16).padStart(2, "0")}`),
    fc.string({ unit: "binary", maxLength: 2 }),
  );
  const target = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join("")}`);

  it("what passes stays the same however often it is decoded, and has no segment that means anything", () => {
    let passed = 0;
    fc.assert(
      fc.property(target, (sent) => {
        const path = read(sent);
        if (path === undefined) return;
        passed++;
        const once = decodeURIComponent(sent.split("?", 1)[0] ?? "");
        expect(path).toBe(once);
        expect(decodeURIComponent(once)).toBe(once);
        expect(read(encodeURI(path))).toBe(path);
        const [first, ...segments] = path.split("/");
        expect(first).toBe("");
        expect(segments.slice(0, -1)).not.toContain("");
        expect(segments).not.toContain(".");
        expect(segments).not.toContain("..");
        expect(path).not.toMatch(/[%;\\?#\p{Cc}]/u);
      }),
      { numRuns: 5_000 },
    );
    expect(passed).toBeGreaterThan(200);
  });

  it("what a client escapes without need is read as what it stands for", () => {
    const plain = fc.stringMatching(/^\/[A-Za-z0-9_~$!&'()*+,=:@-]{1,20}(\/[a-z.]{3,9}x)?$/);
    fc.assert(
      fc.property(plain, fc.infiniteStream(fc.boolean()), (path, escapes) => {
        const sent = path.replace(/[^/]/g, (character) => {
          const code = character.charCodeAt(0).toString(16);
          return escapes.next().value ? `%${code}` : character;
        });
        expect(read(sent)).toBe(path);
      }),
    );
  });

  it("a problem repeats nothing of it", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{8,20}$/), target, (secret, sent) => {
        expect(problem(`${sent}${secret}%`) ?? "").not.toContain(secret);
      }),
    );
  });
});
