import type { Variables } from "../../src/settings/read.ts";
import { readClientSettings, readServeSettings, type ServeSettings } from "../../src/settings.ts";

/**
 * What a server makes of these variables. Throws a SettingsError if one is unknown or cannot be read, or if they
 * contradict each other, for the server or for a command beside it.
 */
export function settingsOf(variables: Variables): ServeSettings {
  readClientSettings({}, variables);
  return readServeSettings({}, variables);
}
