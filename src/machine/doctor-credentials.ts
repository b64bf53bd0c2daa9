import { BUILT_IN_API } from "../domain/api.ts";
import { canAdminister, NEEDED_CREDENTIALS } from "../domain/delegation.ts";
import type { Finding } from "../domain/finding.ts";
import type { Key } from "../domain/key.ts";

const SOON = 14 * 86_400_000;
const MOST_SHOWN = 20;

/** What to know of Keywarden's own credentials. `now`: milliseconds since the epoch. */
export function credentialFindings(keys: readonly Key[], now: number): readonly Finding[] {
  const own = keys.filter(({ api, state }) => api === BUILT_IN_API && state === "ACTIVE");
  const expired = own.filter(({ expireTime }) => expireTime !== null && expireTime <= now);
  return [
    ...administratorFindings(
      own.filter((key) => canAdminister(key, now)),
      now,
    ),
    ...expiredFindings(expired),
  ];
}

function administratorFindings(administrators: readonly Key[], now: number): readonly Finding[] {
  if (administrators.length === 0) {
    const what = "nobody can create keys or credentials any more: no administrator is active";
    return [
      {
        severity: "error",
        code: "NO_ADMINISTRATOR",
        what,
        next: "Stop the server and run: keywarden admin reset",
      },
    ];
  }
  const end = Math.max(...administrators.map(({ expireTime }) => expireTime ?? Infinity));
  if (end - now < SOON) {
    const what = `the last administrator expires at ${new Date(end).toISOString()}`;
    return [{ severity: "warning", code: "LAST_ADMINISTRATOR_EXPIRES", what, next: CREATE }];
  }
  const [alone, ...others] = administrators.filter((key) =>
    NEEDED_CREDENTIALS.every((isNeeded) => isNeeded(key, now)),
  );
  if (others.length > 0) return [];
  const who =
    alone === undefined
      ? "there is no administrator who may do everything, from anywhere, for more than a day"
      : `there is one administrator only who may do everything, key ${alone.id}`;
  const what = `${who}: once that is lost, the server has to be stopped to make another`;
  return [{ severity: "note", code: "ONE_ADMINISTRATOR", what, next: CREATE }];
}

const CREATE =
  "Create another: keywarden key create --api keywarden --environment live --owner <whose it is> --scope '*'";

function expiredFindings(expired: readonly Key[]): readonly Finding[] {
  if (expired.length === 0) return [];
  const more = expired.length > MOST_SHOWN ? `, and ${expired.length - MOST_SHOWN} more` : "";
  const ids = expired.slice(0, MOST_SHOWN).map(({ id }) => id);
  const what = `${expired.length} of Keywarden's own credentials have expired: key ${ids.join(", ")}${more}`;
  return [
    {
      severity: "note",
      code: "CREDENTIAL_EXPIRED",
      what,
      next: "Extend, or revoke each: keywarden key revoke ID",
    },
  ];
}
