import type { Finding, Severity } from "../domain/finding.ts";
import { readClientSettings, readServeSettings, SERVE_SETTINGS, type ServeSettings } from "../settings.ts";
import { type GivenFlags, SettingsError, type Variables } from "./read.ts";
import { serverTls } from "./tls.ts";
import { formatHostPort, isLoopback } from "./values.ts";

/** What a server and a command line with these settings would have to say of them. */
export function settingsFindings(flags: GivenFlags, variables: Variables): readonly Finding[] {
  const [settings, refusals] = attempt(() => readServeSettings(flags, variables));
  const [, others] = attempt(() => readClientSettings({}, variables));
  return [
    ...refusals.map((problem) =>
      finding("error", "SETTINGS_REFUSED", problem, "Change it: a server with these settings does not start"),
    ),
    ...others
      .filter((problem) => !refusals.includes(problem))
      .map((problem) =>
        finding(
          "warning",
          "CLIENT_SETTINGS_REFUSED",
          problem,
          "Change it: no command that calls a server runs",
        ),
      ),
    ...overridden(flags, variables),
    ...(settings === undefined ? [] : plaintext(settings)),
  ];
}

function attempt<Settings>(read: () => Settings): readonly [Settings | undefined, readonly string[]] {
  try {
    return [read(), []];
  } catch (error) {
    if (error instanceof SettingsError) return [undefined, error.problems];
    throw error;
  }
}

/** Somebody who sets a variable and sees it ignored looks for long. */
function overridden(flags: GivenFlags, variables: Variables): readonly Finding[] {
  return SERVE_SETTINGS.flatMap(({ name, flag, variable }) => {
    const [given, set] = [flags[name], variables[variable]];
    if (given === undefined || set === undefined || given === set) return [];
    const what = `${flag} and ${variable} say different things, and the flag wins`;
    return [finding("warning", "SETTING_OVERRIDDEN", what, "Leave one of them out")];
  });
}

function plaintext(settings: ServeSettings): readonly Finding[] {
  if (serverTls(settings) !== undefined) return [];
  return (
    [
      ["--grpc", settings.grpc],
      ["--http", settings.http],
      ["--admin-grpc", settings.adminGrpc],
      ["--admin-http", settings.adminHttp],
    ] as const
  ).flatMap(([flag, place]) =>
    place === null || isLoopback(place)
      ? []
      : [
          finding(
            "warning",
            "PLAINTEXT_LISTENER",
            `${flag} ${formatHostPort(place)} can be reached by other machines without encryption: tokens can be read on the way`,
            "Give it a certificate with --tls-cert and --tls-key",
          ),
        ],
  );
}

function finding(severity: Severity, code: string, what: string, next: string): Finding {
  return { severity, code, what, next };
}
