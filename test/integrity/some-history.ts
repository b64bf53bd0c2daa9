import type { AdminParts } from "../../src/app/admin-parts.ts";
import { createApi } from "../../src/app/create-api.ts";
import { createKey } from "../../src/app/create-key.ts";
import { deleteApi } from "../../src/app/delete-api.ts";
import { disableKey } from "../../src/app/disable-key.ts";
import { rotateKey } from "../../src/app/rotate-key.ts";
import { updateKey } from "../../src/app/update-key.ts";
import type { ApiId } from "../../src/domain/api.ts";
import type { Key } from "../../src/domain/key.ts";
import { KEY } from "../support/authority.ts";
import { testApi } from "../support/records.ts";

/** Six changes, of a key that is given back, and of an API that is gone after them. */
export async function someHistory(parts: AdminParts): Promise<Key> {
  const { key } = await createKey(parts, { ...KEY, scopes: ["orders:read"] }, "");
  const reference = { keyId: key.id, etag: "" };
  await updateKey(parts, reference, { scopes: ["orders:*"] });
  await rotateKey(parts, reference, 60_000, "");
  await createApi(parts, testApi({ id: "gone" as ApiId, tokenPrefix: "gone" }));
  await deleteApi(parts, { apiId: "gone", etag: "" });
  return disableKey(parts, reference);
}
