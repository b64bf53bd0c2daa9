import { type CountedKey, totalsOf, type UsageSubject } from "../../domain/usage.ts";

/**
 * What the column `key_id` of the table `usage` holds: a key's id, nothing where no key is known, or the name of a total,
 * which no id of a key is. Totals are written with what they add up, so that nobody has to add up a million keys.
 */
export function usageRowName(subject: UsageSubject): string {
  switch (subject.kind) {
    case "all":
      return "total";
    case "key":
      return subject.keyId;
    case "api":
      return `total ${subject.api}${subject.environment === undefined ? "" : ` ${subject.environment}`}`;
  }
}

/** The rows that something which is counted for a key is added to. */
export function usageRowNames(key: CountedKey): readonly string[] {
  return [key?.id ?? "", ...totalsOf(key).map(usageRowName)];
}
