import { type Meaning, NO_MEMBER } from "./bad-values.ts";
import type { FieldPlace } from "./field-places.ts";
import { group, INVISIBLE, REFUSED, type Verdict } from "./value-rules.ts";

/** No number or duration that anybody needs is greater, unless its rule says so. */
const GREATEST_NUMBER = 1_000_000_000n;
const LONGEST_DURATION = 100 * 366 * 86_400_000;

/**
 * Of a field that has no rule yet, a new one: these are no good for anything. Texts with anything in them that does
 * not show, and endless ones; negative and endless numbers and durations; numbers that no enum has; moments that are none.
 * What else is good is for its rule to say.
 */
function isHostile(meaning: Meaning, kind: FieldPlace["kind"]): boolean {
  switch (meaning.kind) {
    case "text":
      return INVISIBLE.test(meaning.text) || meaning.text.length > 10_000;
    case "number": {
      const { number } = meaning;
      return number < 0n || number > GREATEST_NUMBER || (kind === "enum" && number === NO_MEMBER);
    }
    case "moment": {
      const { milliseconds } = meaning;
      if (milliseconds === undefined) return true;
      return kind === "duration" && (milliseconds < 0 || milliseconds > LONGEST_DURATION);
    }
    default:
      return false;
  }
}

/** What may become of a request that means this in a field of this kind, if no rule is known. */
export function verdictsOnUnknown(meaning: Meaning, kind: FieldPlace["kind"]): readonly Verdict[] {
  return isHostile(meaning, kind) ? REFUSED : [...group(meaning), "DENIED", "FAILED_PRECONDITION", "ABORTED"];
}
