/*
 * The settings of each kind of command: tables of what can be told, for flags, help and docs, and what is read of them.
 * `settings/` has the parts.
 */
export { type ClientSettings, readClientSettings } from "./settings/client-settings.ts";
export { ADMIN_SETTINGS, CLIENT_SETTINGS, SELF_SETTINGS, VERIFY_SETTINGS } from "./settings/client-table.ts";
export { MACHINE_SETTINGS, type MachineSettings, readMachineSettings } from "./settings/machine-settings.ts";
export { readServeSettings, type ServeSettings } from "./settings/serve-settings.ts";
export { SERVE_SETTINGS } from "./settings/serve-table.ts";
