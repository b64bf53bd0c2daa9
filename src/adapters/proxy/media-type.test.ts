import { expect, it } from "vitest";
import { prefersPlainText } from "./media-type.ts";

it("prefers JSON unless plain text is wanted more", () => {
  for (const accept of [
    "",
    "*/*",
    "application/json",
    "application/json, text/plain, */*",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "text/plain;q=0.5, application/problem+json;q=0.6",
    "text/plain;q=0",
    "text/plain;q=x",
    "text/plain;q=2",
    "image/png",
  ]) {
    expect([accept, prefersPlainText(accept)]).toEqual([accept, false]);
  }
  for (const accept of [
    "text/plain",
    "TEXT/Plain",
    "text/*",
    "text/plain, */*;q=0.1",
    "text/html, text/plain;q=0.3",
  ]) {
    expect([accept, prefersPlainText(accept)]).toEqual([accept, true]);
  }
});
