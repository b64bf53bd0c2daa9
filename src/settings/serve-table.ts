import { z } from "zod";
import { credentialHeaderName, headerPrefix, networkList } from "./proxy.ts";
import { secretSource } from "./secret-source.ts";
import { optionalSetting, rowsOf, setting } from "./table.ts";
import {
  durationUpTo,
  environmentName,
  filePath,
  issuerUrl,
  listener,
  oneOf,
  otlpEndpoint,
  ratio,
  storeLocation,
  switchValue,
  wholeNumber,
} from "./values.ts";

/** What `keywarden serve` can be told. */
export const serveTable = z.object({
  grpc: setting(listener, {
    value: "host:port",
    default: "127.0.0.1:50051",
    summary: "where backends verify keys over gRPC; off: nowhere",
  }),
  http: setting(listener, {
    value: "host:port",
    default: "127.0.0.1:8080",
    summary: "where keys are verified and introspected over HTTP; off: nowhere",
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
  issuer: optionalSetting(issuerUrl, {
    value: "url",
    unset: "where --http listens, with http:// or https://",
    summary: "what OAuth clients know the server by, such as https://keys.example.com",
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
  credentialHeader: setting(credentialHeaderName, {
    value: "name",
    default: "authorization",
    summary:
      "the header in which proxies' clients send their key: authorization (Bearer), or any other, which is the key alone",
  }),
  forwardCredential: setting(switchValue, {
    default: "false",
    summary: "let proxies send the client's key on to what is behind them",
  }),
  identityHeaderPrefix: setting(headerPrefix, {
    value: "prefix",
    default: "x-keywarden-",
    summary: "what the names of the headers begin with that tell what is behind a proxy whose key it was",
  }),
  trustedHops: setting(wholeNumber(0, 32), {
    value: "proxies",
    default: "0",
    summary: "entries of X-Forwarded-For, from the right, that trusted proxies have added; 0: it is not read",
  }),
  trustedProxies: optionalSetting(networkList, {
    value: "networks",
    unset: "none",
    summary: "proxies whose entries in X-Forwarded-For are believed, such as 10.0.0.0/8,192.0.2.7",
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
    summary: "unknown tokens a minute that one caller may present for one client address; 0: any number",
  }),
  usageFlush: setting(durationUpTo("1h", "100ms"), {
    value: "duration",
    default: "10s",
    summary: "how often counted usage is written to the database: what a crash loses of it at most",
  }),
  usageRetention: setting(durationUpTo("3650d", "1h"), {
    value: "duration",
    default: "400d",
    summary: "how long usage is kept: by the hour for 31 days, then by the day",
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

/** Its rows, for flags, help and docs. */
export const SERVE_SETTINGS = rowsOf(serveTable);
