import { z } from "zod";
import { secretSources } from "./beside-store.ts";
import { clientTable } from "./client-table.ts";
import { refuseUnknown } from "./known-variables.ts";
import { type GivenFlags, readSettings, type Variables } from "./read.ts";
import { serveTable } from "./serve-table.ts";
import { rowsOf, setting } from "./table.ts";
import { switchValue } from "./values.ts";

/** What a command is told that works on the server's own machine: where the store and its secrets are. */
const machineTable = z.object({
  ...serveTable.pick({ store: true, pepper: true, sealKey: true }).shape,
  json: setting(switchValue, { default: "false", summary: "print JSON" }),
  noColor: clientTable.shape.noColor,
});

export const MACHINE_SETTINGS = rowsOf(machineTable);

const machineSchema = machineTable.transform((values) => ({ ...values, ...secretSources(values) }));

export type MachineSettings = Readonly<z.infer<typeof machineSchema>>;

/** @throws SettingsError: a setting is unknown or cannot be read. */
export function readMachineSettings(flags: GivenFlags, variables: Variables): MachineSettings {
  refuseUnknown(variables);
  return readSettings(machineSchema, MACHINE_SETTINGS, flags, variables);
}
