import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { settingsPage } from "../../scripts/settings-page.ts";
import { CLIENT_SETTINGS, SERVE_SETTINGS } from "../../src/settings.ts";

const page = readFileSync(new URL("../../docs/reference/settings.md", import.meta.url), "utf8");

it("docs/reference/settings.md is what `npm run generate` makes", () => {
  expect(page).toBe(settingsPage());
});

it.each([...SERVE_SETTINGS, ...CLIENT_SETTINGS])(
  "$variable is in it, with its flag and its default",
  (row) => {
    const line = page.split("\n").find((text) => text.includes(`\`${row.variable}\``));
    expect(line).toContain(row.flag ?? "");
    expect(line).toContain(row.unset ?? row.default);
  },
);
