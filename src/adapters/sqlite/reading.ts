import { KeywardenError } from "../../domain/keywarden-error.ts";
import { unavailable } from "./refusal.ts";

/** Asks the store; whatever goes wrong is a KeywardenError. */
export function asked<Answer>(question: () => Answer): Answer {
  try {
    return question();
  } catch (error) {
    throw error instanceof KeywardenError ? error : unavailable("the store can't be read", error);
  }
}

/** A row as a record. Throws DATA_LOSS (STORE_CORRUPT), which names the record, if the row can't be decoded. */
export function decoded<Row>(record: string, decode: () => Row): Row {
  try {
    return decode();
  } catch (error) {
    const detail = error instanceof Error ? `: ${error.message}` : "";
    throw new KeywardenError({
      status: "DATA_LOSS",
      reason: "STORE_CORRUPT",
      message: `the stored ${record} can't be read${detail}; it is refused everywhere until it is restored from a backup`,
      cause: error,
    });
  }
}
