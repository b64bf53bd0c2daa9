import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { safeJson, safeText, shorten } from "./safe-text.ts";

describe("text from a server", () => {
  it.each([
    ["a colour", "\u001b[31mred\u001b[0m", "red"],
    ["a title for the window", "\u001b]0;owned\u0007ok", "ok"],
    ["a hyperlink", "\u001b]8;;http://x\u001b\\text\u001b]8;;\u001b\\", "text"],
    ["a C1 control", "a\u009b2Jb", "ab"],
    ["marks that reorder", "user\u202egnp.exe\u202c \u2066x\u2069\u200f", "usergnp.exe x"],
    ["invisible letters", "o\u200brders\u{e0041}\ufeff", "orders"],
    ["line breaks", "one\ntwo\r\nthree\u2028four\tfive", "one two three four five"],
    ["half a character", "a\ud800b", "a\ufffdb"],
  ])("loses %s", (_what, text, safe) => {
    expect(safeText(text)).toBe(safe);
  });

  it("keeps what people write", () => {
    expect(safeText("Überweisung 東京 🗝 שלום orders:read")).toBe("Überweisung 東京 🗝 שלום orders:read");
  });

  it("has no control or format character left, whatever it was", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(safeText(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

describe("JSON for a terminal", () => {
  it("means the same and shows no control or format character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const json = safeJson(JSON.stringify({ text }));
        expect(JSON.parse(json)).toEqual({ text });
        expect(json).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }),
    );
  });
});

it("shortens by characters, not by halves of them", () => {
  expect([shorten("🗝🗝🗝", 2), shorten("abc", 3), shorten("abcd", 3)]).toEqual(["🗝…", "abc", "ab…"]);
});
