import { join } from "node:path";
import { z } from "zod";
import type { SecretSource, SecretSources } from "./domain/keyring.ts";
import {
  type GivenFlags,
  readSettings,
  SettingsError,
  unknownVariables,
  type Variables,
} from "./settings/read.ts";
import { secretSource } from "./settings/secret-source.ts";
import { optionalSetting, rowsOf, setting } from "./settings/table.ts";
import { clientTlsProblems, needsCallers, serverTls, serverTlsProblems, usesTls } from "./settings/tls.ts";
import {
  bearerToken,
  durationUpTo,
  environmentName,
  filePath,
  listener,
  oneOf,
  otlpEndpoint,
  ratio,
  type StoreLocation,
  serverAddress,
  serverName,
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
  adminHttp: setting(listener, {
    value: "host:port",
    default: "127.0.0.1:8081",
    summary: "where metrics and health are asked for over HTTP; off: nowhere",
  }),
  store: setting(storeLocation, {
    value: "url",
    default: "sqlite:./data/keywarden.db",
    summary: "the database; its directory also holds the admin token and, by default, the secrets",
  }),
  environment: optionalSetting(environmentName, {
    value: "name",
    unset: "none; each request says it, unless its API has only one",
    summary: "the environment that callers serve when they do not say, such as test",
  }),
  pepper: optionalSetting(secretSource, {
    value: "source",
    unset: "the file pepper in the database's directory, made with the store",
    summary: "the secret that tokens are digested with: file:PATH, env:NAME or command:PROGRAM ARGS",
  }),
  sealKey: optionalSetting(secretSource, {
    value: "source",
    unset: "the file seal-key in the database's directory, made with the store",
    summary: "the secret that stored records are sealed with: file:PATH, env:NAME or command:PROGRAM ARGS",
  }),
  tlsCert: optionalSetting(filePath, {
    value: "file",
    unset: "none: connections are in plaintext",
    summary: "the server's certificate and those between it and a root, in PEM; read again when it changes",
  }),
  tlsKey: optionalSetting(filePath, {
    value: "file",
    unset: "none",
    summary: "the certificate's private key, in PEM; read again when it changes",
  }),
  tlsClientCa: optionalSetting(filePath, {
    value: "file",
    unset: "none: clients are asked for no certificate",
    summary:
      "the authorities of client certificates, in PEM: every client must then show one that they have signed",
  }),
  tlsCallers: optionalSetting(filePath, {
    value: "file",
    unset: "none: every caller needs a credential",
    summary: "which client certificates stand for which callers, in YAML; read again when it changes",
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
  workers: setting(wholeNumber(1, 64), {
    value: "threads",
    default: "1",
    summary: "threads that verify, each with a cache of its own; one a core is plenty",
  }),
  failureBudget: setting(wholeNumber(0, 1_000_000), {
    value: "tokens",
    default: "100",
    summary: "unknown tokens that one client address may present a minute; 0: any number",
  }),
  usageFlush: setting(durationUpTo("1h", "100ms"), {
    value: "duration",
    default: "10s",
    summary: "how often counted usage is written to the database: what a crash loses of it at most",
  }),
  usageRetention: setting(durationUpTo("3650d", "1h"), {
    value: "duration",
    default: "400d",
    summary: "how long usage is kept",
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
  otlpEndpoint: optionalSetting(otlpEndpoint, {
    value: "url",
    unset: "none: no traces",
    summary: "where traces go, over OTLP/HTTP, such as http://127.0.0.1:4318",
  }),
  traceSample: setting(ratio, {
    value: "ratio",
    default: "0.01",
    summary: "of the calls that come without a trace, the part that is traced: 0 to 1",
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
  callerToken: optionalSetting(bearerToken, {
    secret: true,
    unset: "the content of --caller-token-file",
    summary: "the credential to call the data plane with",
  }),
  callerTokenFile: optionalSetting(filePath, {
    value: "file",
    unset: "none; a server that only its own machine reaches asks for none",
    summary: "a file with the credential to call the data plane with",
  }),
  tls: setting(switchValue, {
    default: "false",
    summary: "call over TLS; every other --tls- option does so too",
  }),
  tlsCa: optionalSetting(filePath, {
    value: "file",
    unset: "those that Node.js trusts",
    summary: "the certificate authorities that the server's certificate may be from, in PEM",
  }),
  tlsServerName: optionalSetting(serverName, {
    value: "name",
    unset: "the address that is called",
    summary: "the name that the server's certificate is for",
  }),
  tlsClientCert: optionalSetting(filePath, {
    value: "file",
    unset: "none",
    summary: "the certificate to show to a server that asks for one, in PEM",
  }),
  tlsClientKey: optionalSetting(filePath, {
    value: "file",
    unset: "none",
    summary: "its private key, in PEM",
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

/** What a command is told that works on the server's own machine: where the store and its secrets are. */
const machineTable = z.object({
  ...serveTable.pick({ store: true, pepper: true, sealKey: true }).shape,
  json: setting(switchValue, { default: "false", summary: "print JSON" }),
  noColor: clientTable.shape.noColor,
});

/** The tables' rows, for flags, help and docs. */
export const SERVE_SETTINGS = rowsOf(serveTable);
export const CLIENT_SETTINGS = rowsOf(clientTable);
export const MACHINE_SETTINGS = rowsOf(machineTable);
/** Of the client's, those that a call to one plane has no use for are left out. */
export const ADMIN_SETTINGS = CLIENT_SETTINGS.filter(
  ({ name }) => !["verifyAddress", "callerToken", "callerTokenFile"].includes(name),
);
export const VERIFY_SETTINGS = CLIENT_SETTINGS.filter(
  ({ name }) => !["address", "adminToken", "tokenFile"].includes(name),
);

/** Of those of a call with a token that is its own credential. */
export const SELF_SETTINGS = ADMIN_SETTINGS.filter(({ name }) => !["adminToken", "tokenFile"].includes(name));

const EVERY_SETTING = [...SERVE_SETTINGS, ...CLIENT_SETTINGS];

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

interface GivenSources {
  readonly store: StoreLocation;
  readonly pepper?: SecretSource | undefined;
  readonly sealKey?: SecretSource | undefined;
}

/** A store's secrets are beside it, unless somebody has said where they come from. */
function secretSources({ store, pepper, sealKey }: GivenSources): SecretSources {
  const beside = (name: string): SecretSource => ({
    kind: "file",
    path: join(store.directory, name),
    madeWithStore: true,
  });
  return { pepper: pepper ?? beside("pepper"), sealKey: sealKey ?? beside("seal-key") };
}

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

const clientSchema = clientTable
  .superRefine((values, context) => {
    for (const problem of clientTlsProblems(values)) context.addIssue(problem);
  })
  .transform((values) => ({ ...values, tls: usesTls(values) }));

const machineSchema = machineTable.transform((values) => ({ ...values, ...secretSources(values) }));

/** Times are milliseconds; a listener that is off is null. */
export type ServeSettings = Readonly<z.infer<typeof serveSchema>>;
export type ClientSettings = Readonly<z.infer<typeof clientSchema>>;
export type MachineSettings = Readonly<z.infer<typeof machineSchema>>;

function refuseUnknown(variables: Variables): void {
  const problems = unknownVariables(variables, EVERY_SETTING);
  if (problems.length > 0) throw new SettingsError(problems);
}

/** @throws SettingsError: a setting is unknown, cannot be read, or contradicts another. */
export function readServeSettings(flags: GivenFlags, variables: Variables): ServeSettings {
  refuseUnknown(variables);
  return readSettings(serveSchema, SERVE_SETTINGS, flags, variables);
}

/** @throws SettingsError: a setting is unknown or cannot be read. */
export function readMachineSettings(flags: GivenFlags, variables: Variables): MachineSettings {
  refuseUnknown(variables);
  return readSettings(machineSchema, MACHINE_SETTINGS, flags, variables);
}

/** A credential: its variable, and the setting and variable of the file that it may come from instead. */
const CREDENTIALS = [
  { token: "KEYWARDEN_ADMIN_TOKEN", file: "tokenFile", fileVariable: "KEYWARDEN_TOKEN_FILE" },
  { token: "KEYWARDEN_CALLER_TOKEN", file: "callerTokenFile", fileVariable: "KEYWARDEN_CALLER_TOKEN_FILE" },
] as const;

/**
 * A flag that names a credential's file wins over a variable that is the credential, as flags do.
 * @throws SettingsError: a setting is unknown, cannot be read, or contradicts another.
 */
export function readClientSettings(flags: GivenFlags, variables: Variables): ClientSettings {
  refuseUnknown(variables);
  const effective = { ...variables };
  for (const { token, file, fileVariable } of CREDENTIALS) {
    if (flags[file] !== undefined) {
      delete effective[token];
      delete effective[fileVariable];
    } else if (effective[token] !== undefined && effective[fileVariable] !== undefined) {
      throw new SettingsError([`${token} and ${fileVariable} are both set: unset one of them`]);
    }
  }
  return readSettings(clientSchema, CLIENT_SETTINGS, flags, effective);
}
