import type { Command } from "commander";
import type { RateLimitStatus } from "../gen/keywarden/v1/rate_limit_pb.ts";
import {
  Reason,
  ReasonSchema,
  type VerifyKeyResponse,
  VerifyKeyResponseSchema,
} from "../gen/keywarden/v1/verify_service_pb.ts";
import { VERIFY_SETTINGS } from "../settings.ts";
import { callVerify } from "./call.ts";
import { clientAction, type Registration, responseJson } from "./client-command.ts";
import { examples } from "./examples.ts";
import { EXIT_CODES } from "./exit-code.ts";
import { asWholeNumber } from "./option-values.ts";
import { readToken } from "./standard-input.ts";
import { type Fact, facts } from "./table.ts";
import { durationText, timeText } from "./time-text.ts";

interface VerifyOptions {
  readonly scope?: string;
  readonly clientIp?: string;
  readonly api?: string;
  readonly environment?: string;
  readonly cost?: number;
  readonly dryRun?: true;
}

function reasonText(reason: Reason): string {
  return ReasonSchema.value[reason]?.localName ?? `reason ${reason}`;
}

function limitText(limit: RateLimitStatus | undefined): string {
  if (limit === undefined) return "";
  const { name, quota, window, remaining, resetAfter } = limit;
  return `${name}: ${remaining} of ${quota} left in ${durationText(window)}, resets in ${durationText(resetAfter)}`;
}

function decisionFacts(response: VerifyKeyResponse, now: number): readonly Fact[] {
  const { key } = response;
  return [
    ["Message", response.message],
    ["HTTP", String(response.httpStatus)],
    ["WWW-Authenticate", response.wwwAuthenticate],
    ["Retry after", response.retryAfter === undefined ? "" : durationText(response.retryAfter)],
    ["Key", key?.keyId ?? ""],
    ["Name", key?.displayName ?? ""],
    ["Owner", key?.owner ?? ""],
    ["API", key === undefined ? "" : `${key.api}, ${key.environment}`],
    ["Scopes", key?.scopes ?? ""],
    ["Metadata", Object.entries(key?.metadata ?? {}).map(([name, value]) => `${name}=${value}`)],
    ["Expires", key === undefined ? "" : timeText(key.expireTime, now, "never")],
    ["Rate limit", limitText(response.rateLimit)],
    ["Decided", timeText(response.decideTime, now, "")],
    ["Revision", String(response.revision)],
  ];
}

/** `keywarden verify`. */
export function addVerifyCommand(program: Command, registration: Registration): void {
  const command = program
    .command("verify")
    .summary("ask whether a token is allowed to do something")
    .description(
      "Reads a token from standard input, and asks the server whether it is allowed. A token is never an argument.",
    )
    .option("--scope <expression>", "what the call needs, such as 'orders:read AND files:write'")
    .option("--client-ip <address>", "where the call came from")
    .option("--api <id>", "the API that is called")
    .option("--environment <name>", "the environment that is called; * for all")
    .option("--cost <units>", "what the call costs of the key's rate limits", asWholeNumber)
    .option("--dry-run", "decide without charging the rate limits");
  examples(command, [
    [
      `printf %s "$TOKEN" | keywarden verify --scope orders:read --client-ip 203.0.113.7`,
      "may this token read orders, from there?",
    ],
    ["keywarden verify --json < token-file", "the whole answer, for a program"],
  ]);
  const codes = Object.values(EXIT_CODES)
    .filter(({ code }) => code <= 4)
    .map(({ code, meaning }) => `  ${code}  ${meaning}`);
  command.addHelpText("after", `\nExit codes:\n${codes.join("\n")}`);
  clientAction(
    command,
    registration,
    async (session) => {
      const {
        scope = "",
        clientIp = "",
        api = "",
        environment = "",
        cost,
        dryRun = false,
      } = command.opts<VerifyOptions>();
      const token = await readToken(session.shell, "keywarden verify …");
      const response = await callVerify(session.settings, (client) =>
        client.verifyKey({
          token,
          requiredScope: scope,
          clientIp,
          api,
          environment,
          dryRun,
          ...(cost === undefined ? {} : { cost }),
        }),
      );
      const allowed = response.allowed && response.reason === Reason.ALLOWED;
      const { paint, print, settings, shell } = session;
      if (settings.json) {
        await print(responseJson(VerifyKeyResponseSchema, response));
      } else {
        const verdict = allowed
          ? paint("green", "✓ allowed")
          : paint("red", `✗ denied: ${reasonText(response.reason)}`);
        await print(`${verdict}\n${facts(decisionFacts(response, shell.now()), paint)}`);
      }
      return allowed ? "ok" : "denied";
    },
    VERIFY_SETTINGS,
  );
}
