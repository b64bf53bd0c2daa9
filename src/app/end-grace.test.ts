import { expect, it } from "vitest";
import { createAuthority } from "../../test/support/authority.ts";
import { endKeyGrace } from "./end-grace.ts";
import { revokeKey } from "./revoke-key.ts";
import { rotateKey } from "./rotate-key.ts";

it("refuses the old token from then on, once, and leaves the current one alone", async () => {
  const authority = await createAuthority();
  const { key, token: old } = await authority.key();
  const reference = { keyId: key.id, etag: "" };
  const rotated = await rotateKey(authority.parts, reference, 60_000, "");
  if (rotated.replayed) throw new Error("a new token is no replay");
  expect(await authority.verify(old)).toBe("ALLOWED");
  const ended = await endKeyGrace(authority.parts, reference);
  expect(ended).toMatchObject({ previousToken: null });
  expect(await authority.verify(old)).toBe("EXPIRED");
  expect(await authority.verify(rotated.token.reveal())).toBe("ALLOWED");
  expect(await endKeyGrace(authority.parts, reference)).toEqual(ended);
  await revokeKey(authority.parts, reference);
  await expect(endKeyGrace(authority.parts, reference)).rejects.toMatchObject({ reason: "KEY_REVOKED" });
});
