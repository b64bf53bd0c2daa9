import { join } from "node:path";
import { z } from "zod";
import {
  type GivenFlags,
  readSettings,
  SettingsError,
  unknownVariables,
  type Variables,
} from "./settings/read.ts";
import { optionalSetting, rowsOf, setting } from "./settings/table.ts";
import {
  bearerToken,
  durationUpTo,
  environmentName,
  filePath,
  formatHostPort,
  isLoopback,
  listener,
  oneOf,
  serverAddress,
  storeLocation,
  switchValue,
  wholeNumber,
} from "./settings/values.ts";

/** What `keywarden serve` can be told. */
const serveTable = z.object({
  grpc: setting(listener, {
    value: "host:port",
    default: "127.0.0.1:50051",
    summary: "where backends verify keys over gRPC; off: nowhere",
  }),
  adminGrpc: setting(listener, {
    value: "host:port",
    default: "127.0.0.1:50052",
    summary: "where APIs and keys are managed over gRPC; off: nowhere",
  }),
  store: setting(storeLocation, {
    value: "url",
    default: "sqlite:./data/keywarden.db",
    summary: "the database; its directory also holds the admin token and the pepper",
  }),
  environment: optionalSetting(environmentName, {
    value: "name",
    unset: "none; each request says it, unless its API has only one",
    summary: "the environment that callers serve when they do not say, such as test",
  }),
  pepperFile: optionalSetting(filePath, {
    value: "file",
    unset: "pepper, in the database's directory",
    summary: "the secret that tokens are digested with; made with mode 0600 if it is missing",
  }),
  insecurePlaintext: setting(switchValue, {
    default: "false",
    summary: "allow listeners that other machines reach, without encryption: tokens can be read on the way",
  }),
  cacheSize: setting(wholeNumber(1, 10_000_000), {
    value: "keys",
    default: "100000",
    summary: "keys kept in memory, at most",
  }),
  drainGrace: setting(durationUpTo("1h"), {
    value: "duration",
    default: "10s",
    summary: "how long calls may take to finish once the server is told to stop",
  }),
  logLevel: setting(oneOf(["trace", "debug", "info", "warn", "error", "fatal", "silent"]), {
    value: "level",
    default: "info",
    summary: "the least that is logged: trace, debug, info, warn, error, fatal or silent",
  }),
  logFormat: setting(oneOf(["auto", "json", "pretty"]), {
    value: "format",
    default: "auto",
    summary: "json: one object a line; pretty: for people; auto: pretty on a terminal",
  }),
});

/** What every command that calls a server can be told. */
const clientTable = z.object({
  address: setting(serverAddress, {
    value: "host:port",
    default: "127.0.0.1:50052",
    summary: "the server's admin plane",
  }),
  verifyAddress: setting(serverAddress, {
    value: "host:port",
    default: "127.0.0.1:50051",
    summary: "the server's data plane, which verifies keys",
  }),
  adminToken: optionalSetting(bearerToken, {
    secret: true,
    unset: "the content of --token-file",
    summary: "the admin credential itself",
  }),
  tokenFile: setting(filePath, {
    value: "file",
    default: "./data/admin-token",
    summary: "a file with the admin credential",
  }),
  timeout: setting(durationUpTo("1h"), {
    value: "duration",
    default: "10s",
    summary: "how long a call may take",
  }),
  insecurePlaintext: setting(switchValue, {
    default: "false",
    summary: "allow calls to another machine, without encryption: tokens can be read on the way",
  }),
  json: setting(switchValue, {
    default: "false",
    summary: "print the response as protobuf JSON",
  }),
  noColor: setting(switchValue, {
    default: "false",
    summary: "print without colours, as with NO_COLOR=1; FORCE_COLOR=1 is the opposite",
  }),
});

/** The tables' rows, for flags, help and docs. */
export const SERVE_SETTINGS = rowsOf(serveTable);
export const CLIENT_SETTINGS = rowsOf(clientTable);
/** Of the client's, those that a call to one plane has no use for are left out. */
export const ADMIN_SETTINGS = CLIENT_SETTINGS.filter(({ name }) => name !== "verifyAddress");
export const VERIFY_SETTINGS = CLIENT_SETTINGS.filter(
  ({ name }) => !["address", "adminToken", "tokenFile"].includes(name),
);

const EVERY_SETTING = [...SERVE_SETTINGS, ...CLIENT_SETTINGS];

type ServeValues = z.infer<typeof serveTable>;

/** Each problem that two or more settings have with each other. */
function contradictions({ grpc, adminGrpc, insecurePlaintext }: ServeValues): readonly string[] {
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
  const sayItAloud =
    "or, on a network that you trust, add --insecure-plaintext (KEYWARDEN_INSECURE_PLAINTEXT=true)";
  if (grpc !== null && !isLoopback(grpc) && !insecurePlaintext) {
    problems.push(
      `--grpc (KEYWARDEN_GRPC) ${formatHostPort(grpc)} can be reached by other machines, and this version has neither TLS ` +
        `nor credentials for callers: tokens could be read on the way, and anyone there could verify keys. ` +
        `Listen on 127.0.0.1, ${sayItAloud}`,
    );
  }
  if (adminGrpc !== null && !isLoopback(adminGrpc) && !insecurePlaintext) {
    problems.push(
      `--admin-grpc (KEYWARDEN_ADMIN_GRPC) ${formatHostPort(adminGrpc)} can be reached by other machines, and this version ` +
        `has no TLS: the admin token and new tokens could be read on the way. Listen on 127.0.0.1, ${sayItAloud}`,
    );
  }
  return problems;
}

const serveSchema = serveTable
  .superRefine((values, context) => {
    for (const problem of contradictions(values)) context.addIssue(problem);
  })
  .transform((values) => ({
    ...values,
    pepperFile: values.pepperFile ?? join(values.store.directory, "pepper"),
    /** Read by the CLI by default: where the first admin credential is written. */
    adminTokenFile: join(values.store.directory, "admin-token"),
  }));

/** Times are milliseconds; a listener that is off is null. */
export type ServeSettings = Readonly<z.infer<typeof serveSchema>>;
export type ClientSettings = Readonly<z.infer<typeof clientTable>>;

function refuseUnknown(variables: Variables): void {
  const problems = unknownVariables(variables, EVERY_SETTING);
  if (problems.length > 0) throw new SettingsError(problems);
}

/** @throws SettingsError: a setting is unknown, cannot be read, or contradicts another. */
export function readServeSettings(flags: GivenFlags, variables: Variables): ServeSettings {
  refuseUnknown(variables);
  return readSettings(serveSchema, SERVE_SETTINGS, flags, variables);
}

/**
 * A flag that names the credential's file wins over a variable that is the credential, as flags do.
 * @throws SettingsError: a setting is unknown, cannot be read, or contradicts another.
 */
export function readClientSettings(flags: GivenFlags, variables: Variables): ClientSettings {
  refuseUnknown(variables);
  const { tokenFile } = flags;
  const { KEYWARDEN_ADMIN_TOKEN: token, KEYWARDEN_TOKEN_FILE: file, ...others } = variables;
  if (tokenFile !== undefined) return readSettings(clientTable, CLIENT_SETTINGS, flags, others);
  if (token !== undefined && file !== undefined) {
    throw new SettingsError([
      "KEYWARDEN_ADMIN_TOKEN and KEYWARDEN_TOKEN_FILE are both set: unset one of them",
    ]);
  }
  return readSettings(clientTable, CLIENT_SETTINGS, flags, variables);
}
