import { expect, it } from "vitest";
import { createAuthority } from "../../test/support/authority.ts";
import { overrideStore } from "../../test/support/override-store.ts";
import type { ChainProblem } from "../domain/audit-chain.ts";
import { AuditWatch } from "./audit-watch.ts";

it("tells each problem of the audit once, however often it looks, and goes on after an error", async () => {
  let looks = 0;
  const enough = Promise.withResolvers<void>();
  const errors: unknown[] = [];
  const authority = await createAuthority((store) =>
    overrideStore(store, {
      async auditChain(after, limit) {
        looks++;
        if (looks === 2) throw new Error("the store can't be asked");
        if (looks === 5) enough.resolve();
        const events = await store.auditChain(after, limit);
        return events.map((event) => (event.revision === 2 ? { ...event, requestId: "another" } : event));
      },
    }),
  );
  const problems: ChainProblem[] = [];
  const watch = new AuditWatch({
    parts: authority.parts,
    interval: 1,
    onProblem: (problem) => problems.push(problem),
    onTrust: (isTrusted) => errors.push(isTrusted),
    onError: (error) => errors.push(error),
  });
  watch.start();
  await enough.promise;
  watch.close();
  expect(problems).toMatchObject([{ kind: "EDITED", revision: 2 }]);
  expect(errors).toHaveLength(1);
});

it("looks no more once it is closed, also while it looks", async () => {
  let looks = 0;
  const begun = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const authority = await createAuthority((store) =>
    overrideStore(store, {
      async auditHead() {
        looks++;
        begun.resolve();
        await goOn.promise;
        throw new Error("closed meanwhile");
      },
    }),
  );
  const errors: unknown[] = [];
  const watch = new AuditWatch({
    parts: authority.parts,
    interval: 1,
    onProblem: (problem) => errors.push(problem),
    onTrust: (isTrusted) => errors.push(isTrusted),
    onError: (error) => errors.push(error),
  });
  watch.start();
  await begun.promise;
  watch.close();
  goOn.resolve();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect({ looks, errors }).toEqual({ looks: 1, errors: [] });
});
