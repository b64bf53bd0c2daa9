import { join } from "node:path";
import type { z } from "zod";
import { secretSources } from "./beside-store.ts";
import { refuseUnknown } from "./known-variables.ts";
import { proxyOptions, proxyProblems } from "./proxy.ts";
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
    proxy: proxyOptions(values),
    /** Whether calls of the data plane without a caller are refused: over gRPC, and over HTTP. */
    callersRequired: needsCallers(values.grpc),
    httpCallersRequired: needsCallers(values.http),
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
  const { grpc, http, adminGrpc } = values;
  if (grpc === null && http === null && adminGrpc === null) {
    return [
      "--grpc, --http and --admin-grpc (KEYWARDEN_GRPC, KEYWARDEN_HTTP, KEYWARDEN_ADMIN_GRPC) are all off: give one of them host:port",
    ];
  }
  return [...samePorts(values), ...serverTlsProblems(values), ...proxyProblems(values)];
}

/** Each listener whose port one before it has. */
function samePorts({ grpc, http, adminGrpc, adminHttp }: ServeValues): readonly string[] {
  const listeners = [
    ["grpc", grpc],
    ["http", http],
    ["admin-grpc", adminGrpc],
    ["admin-http", adminHttp],
  ] as const;
  const named = new Map<number, string>();
  return listeners.flatMap(([name, place]) => {
    if (place === null || place.port === 0) return [];
    const other = named.get(place.port);
    named.set(place.port, name);
    if (other === undefined) return [];
    const variables = [other, name].map((one) => `KEYWARDEN_${one.toUpperCase().replace("-", "_")}`);
    return [
      `--${other} and --${name} (${variables.join(", ")}) both have port ${place.port}: give one of them another`,
    ];
  });
}
