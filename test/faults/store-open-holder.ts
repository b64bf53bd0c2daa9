import { KeywardenError } from "../../src/domain/keywarden-error.ts";
import { ENTRY, testApi } from "../support/records.ts";
import { openStoreAt } from "./store-open-attempt.ts";

// A process that opens the store that its argument names, stores an API in it, says so, and keeps it open.
try {
  const store = await openStoreAt(process.argv[2] ?? "");
  await store.commit({ kind: "create-api", api: testApi() }, ENTRY);
  console.log("open");
} catch (error) {
  if (!(error instanceof KeywardenError)) throw error;
  console.log(error.reason);
}
process.stdin.resume();
