import { type Command, Option } from "commander";
import type { GivenFlags } from "../settings/read.ts";
import type { Setting } from "../settings/table.ts";

/** The value that commander keeps for a switch that was given; `--no-…` is kept as false under its positive name. */
function flagText(value: unknown): string | undefined {
  return value === undefined ? undefined : String(typeof value === "boolean" ? true : value);
}

/** Adds a flag for each setting to a command; the result reads those that were given, for `readSettings`. */
export function addSettings(
  command: Command,
  heading: string,
  settings: readonly Setting[],
): () => GivenFlags {
  const options = settings.flatMap((setting) => {
    if (setting.flag === undefined) return [];
    const flags = setting.value === undefined ? setting.flag : `${setting.flag} <${setting.value}>`;
    const unset = setting.unset ?? (setting.value === undefined ? undefined : setting.default);
    const option = new Option(
      flags,
      unset === undefined ? setting.summary : `${setting.summary} (default: ${unset})`,
    );
    command.addOption(option.helpGroup(heading));
    return [{ setting, name: option.attributeName() }];
  });
  return () =>
    Object.fromEntries(
      options.map(({ setting, name }) => {
        const given = command.getOptionValueSource(name) === "cli";
        return [setting.name, given ? flagText(command.getOptionValue(name)) : undefined];
      }),
    );
}
