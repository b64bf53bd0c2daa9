import { openInspection } from "../adapters/sqlite/inspection.ts";
import type { SecretUse } from "../domain/keyring.ts";
import type { MachineSettings } from "../settings.ts";

/** How much of the store was made with each secret. Rejects with a refusal if it is not there or can't be read. */
export async function usedSecrets(settings: MachineSettings): Promise<readonly SecretUse[]> {
  const inspection = openInspection(settings.store.file);
  try {
    return inspection.secretUses();
  } finally {
    inspection.close();
  }
}
