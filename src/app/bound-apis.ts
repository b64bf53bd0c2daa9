import type { CredentialBinding } from "../domain/key.ts";
import type { FieldViolation } from "../domain/keywarden-error.ts";
import { quote } from "../domain/quote.ts";
import type { AdminParts } from "./admin-parts.ts";

/** A violation for each API that a credential would be bound to and that does not exist. */
export async function checkBoundApis(
  { store }: Pick<AdminParts, "store">,
  binding: CredentialBinding | null,
): Promise<readonly FieldViolation[]> {
  const apis = await Promise.all((binding?.apis ?? []).map((id) => store.getApi(id)));
  return apis.flatMap((api, index) => {
    if (api !== undefined) return [];
    const description = `there is no API ${quote(binding?.apis[index] ?? "")}`;
    return [{ field: `key.binding.apis[${index}]`, description }];
  });
}
