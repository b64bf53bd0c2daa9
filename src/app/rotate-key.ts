import { rotate } from "../domain/key.ts";
import { invalidArgument } from "../domain/keywarden-error.ts";
import type { Token } from "../domain/token.ts";
import type { AdminParts } from "./admin-parts.ts";
import { changeKey, type KeyReference } from "./change-key.ts";
import type { IssuedKey } from "./create-key.ts";
import { issueToken } from "./issue-token.ts";
import { getApi } from "./read-records.ts";
import { canonicalRequestId } from "./refusals.ts";
import { fingerprintOf, replay, servedBy } from "./served-requests.ts";

/** 31 days in milliseconds. */
const LONGEST_GRACE = 31 * 24 * 60 * 60 * 1000;

/**
 * Gives a key a new token. The old one is accepted for `grace` milliseconds more, the one before it no longer.
 *
 * Throws what changeKey throws, INVALID_ARGUMENT (grace), ALREADY_EXISTS (REQUEST_ID_REUSED), FAILED_PRECONDITION
 * (KEY_REVOKED, KEY_EXPIRED).
 */
export async function rotateKey(
  parts: AdminParts,
  reference: KeyReference,
  grace: number,
  requestId: string,
): Promise<IssuedKey> {
  if (!(grace >= 0 && grace <= LONGEST_GRACE)) {
    throw invalidArgument([
      {
        field: "grace",
        description:
          grace < 0
            ? "is from 0 to 31 days, and this is negative"
            : "is from 0 to 31 days, and this is longer",
      },
    ]);
  }
  const request = {
    requestId: canonicalRequestId(requestId),
    fingerprint: fingerprintOf(parts, "RotateKey", [reference, grace]),
  };
  // Before the etag is looked at, which the first try has changed.
  const served = await replay(parts, request);
  if (served !== undefined) return { key: served, replayed: true };
  let issued: Token | undefined;
  const key = await changeKey(parts, "RotateKey", reference, async (old, now) => {
    issued = undefined;
    const before = await replay(parts, request);
    if (before !== undefined) return { key: old };
    const { tokenPrefix: prefix } = await getApi(parts, old.api);
    const { environment, generation } = old;
    const { token, stored } = issueToken(parts, { prefix, environment, generation: generation + 1 });
    issued = token;
    return {
      key: rotate(old, { hint: token.hint, graceEnd: now + grace, now }),
      token: stored,
      ...servedBy(request, old, now),
    };
  });
  return issued === undefined ? { key, replayed: true } : { key, token: issued, replayed: false };
}
