import fc from "fast-check";
import { expect, it } from "vitest";
import { normalisedName } from "../proxy/header.ts";
import { WantedNames } from "./check-names.ts";

const WANTED = ["authorization", "x-keywarden-owner", "x-keywarden-key-id", "x-kw-api2"];
const names = new WantedNames(WANTED);

function found(text: string): string | undefined {
  const bytes = Buffer.from(`..${text}..`, "latin1");
  return names.nameIn(bytes, 2, 2 + text.length);
}

it("finds a name in every spelling that is normalised to it, and no other", () => {
  const letter = fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte));
  const spelled = fc
    .constantFrom(...WANTED)
    .chain((name) =>
      fc.tuple(
        ...[...name].map((one) => fc.oneof(fc.constantFrom(one, one.toUpperCase(), "_", "."), letter)),
      ),
    );
  const text = fc.oneof(
    spelled.map((letters) => letters.join("")),
    fc.string({ unit: letter, maxLength: 20 }),
  );
  fc.assert(
    fc.property(text, (name) => {
      const isWanted = WANTED.includes(normalisedName(name));
      expect(found(name)).toBe(isWanted ? name.toLowerCase() : undefined);
    }),
  );
});

it("keeps the spelling, in lower case", () => {
  expect(found("X_KeyWarden.Owner")).toBe("x_keywarden.owner");
  expect(found("x-keywarden-ownerx")).toBeUndefined();
  expect(found("")).toBeUndefined();
});
