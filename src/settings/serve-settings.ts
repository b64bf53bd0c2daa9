import { join } from "node:path";
import type { z } from "zod";
import { secretSources } from "./beside-store.ts";
import { refuseUnknown } from "./known-variables.ts";
import { type GivenFlags, readSettings, type Variables } from "./read.ts";
import { SERVE_SETTINGS, serveTable } from "./serve-table.ts";
import { needsCallers, serverTls, serverTlsProblems } from "./tls.ts";

const serveSchema = serveTable
  .superRefine((values, context) => {
    for (const problem of contradictions(values)) context.addIssue(problem);
  })
  .transform((values) => ({
    ...values,
    ...secretSources(values),
    tls: serverTls(values),
    /** Whether calls of the data plane without a caller are refused. */
    callersRequired: needsCallers(values),
    /** Read by the CLI by default: where the first admin credential is written. */
    adminTokenFile: join(values.store.directory, "admin-token"),
  }));

/** Times are milliseconds; a listener that is off is null. */
export type ServeSettings = Readonly<z.infer<typeof serveSchema>>;

/** @throws SettingsError: a setting is unknown, cannot be read, or contradicts another. */
export function readServeSettings(flags: GivenFlags, variables: Variables): ServeSettings {
  refuseUnknown(variables);
  return readSettings(serveSchema, SERVE_SETTINGS, flags, variables);
}

type ServeValues = z.infer<typeof serveTable>;

/** Each problem that two or more settings have with each other. */
function contradictions(values: ServeValues): readonly string[] {
  const { grpc, adminGrpc, adminHttp } = values;
  if (grpc === null && adminGrpc === null) {
    return [
      "--grpc and --admin-grpc (KEYWARDEN_GRPC, KEYWARDEN_ADMIN_GRPC) are both off: give one of them host:port",
    ];
  }
  const problems: string[] = [];
  if (grpc !== null && adminGrpc !== null && grpc.port === adminGrpc.port && grpc.port !== 0) {
    problems.push(
      `--grpc and --admin-grpc (KEYWARDEN_GRPC, KEYWARDEN_ADMIN_GRPC) both have port ${grpc.port}: give one of them another`,
    );
  }
  if (adminHttp !== null && adminHttp.port !== 0 && [grpc?.port, adminGrpc?.port].includes(adminHttp.port)) {
    problems.push(
      `--admin-http (KEYWARDEN_ADMIN_HTTP) has port ${adminHttp.port}, as another listener has: give it one of its own`,
    );
  }
  return [...problems, ...serverTlsProblems(values)];
}
