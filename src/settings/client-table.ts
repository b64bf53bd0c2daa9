import { z } from "zod";
import { optionalSetting, rowsOf, setting } from "./table.ts";
import { bearerToken, durationUpTo, filePath, serverAddress, serverName, switchValue } from "./values.ts";

/** What every command that calls a server can be told. */
export const clientTable = z.object({
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

/** Its rows, for flags, help and docs. */
export const CLIENT_SETTINGS = rowsOf(clientTable);
/** Those that a call to one plane has no use for are left out. */
export const ADMIN_SETTINGS = CLIENT_SETTINGS.filter(
  ({ name }) => !["verifyAddress", "callerToken", "callerTokenFile"].includes(name),
);
export const VERIFY_SETTINGS = CLIENT_SETTINGS.filter(
  ({ name }) => !["address", "adminToken", "tokenFile"].includes(name),
);

/** Of those of a call with a token that is its own credential. */
export const SELF_SETTINGS = ADMIN_SETTINGS.filter(({ name }) => !["adminToken", "tokenFile"].includes(name));
