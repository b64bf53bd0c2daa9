import { CLIENT_SETTINGS } from "./client-table.ts";
import { SettingsError, unknownVariables, type Variables } from "./read.ts";
import { SERVE_SETTINGS } from "./serve-table.ts";

const EVERY_SETTING = [...SERVE_SETTINGS, ...CLIENT_SETTINGS];

/** @throws SettingsError: a variable is no setting of any command. */
export function refuseUnknown(variables: Variables): void {
  const problems = unknownVariables(variables, EVERY_SETTING);
  if (problems.length > 0) throw new SettingsError(problems);
}
