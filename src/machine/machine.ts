import type { backUp } from "./back-up.ts";
import type { examine } from "./examine.ts";
import type { resetAdministrator } from "./reset-administrator.ts";
import type { restore } from "./restore.ts";
import type { usedSecrets } from "./used-secrets.ts";

interface Machine {
  readonly usedSecrets: typeof usedSecrets;
  readonly storeCare: {
    readonly backUp: typeof backUp;
    readonly restore: typeof restore;
    readonly examine: typeof examine;
    readonly resetAdministrator: typeof resetAdministrator;
  };
}

/**
 * What commands do on a server's machine without a server. Each is loaded when it is used: most commands only call a
 * server, and should not wait for a database's library.
 */
export const machine: Machine = {
  usedSecrets: async (...args) => (await import("./used-secrets.ts")).usedSecrets(...args),
  storeCare: {
    backUp: async (...args) => (await import("./back-up.ts")).backUp(...args),
    restore: async (...args) => (await import("./restore.ts")).restore(...args),
    examine: async (...args) => (await import("./examine.ts")).examine(...args),
    resetAdministrator: async (...args) =>
      (await import("./reset-administrator.ts")).resetAdministrator(...args),
  },
};
