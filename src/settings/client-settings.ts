import type { z } from "zod";
import { CLIENT_SETTINGS, clientTable } from "./client-table.ts";
import { refuseUnknown } from "./known-variables.ts";
import { type GivenFlags, readSettings, SettingsError, type Variables } from "./read.ts";
import { clientTlsProblems, usesTls } from "./tls.ts";

const clientSchema = clientTable
  .superRefine((values, context) => {
    for (const problem of clientTlsProblems(values)) context.addIssue(problem);
  })
  .transform((values) => ({ ...values, tls: usesTls(values) }));

/** Times are milliseconds. */
export type ClientSettings = Readonly<z.infer<typeof clientSchema>>;

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
