import type { Command } from "commander";
import {
  type Check,
  Check_Outcome,
  type ExplainKeyResponse,
  ExplainKeyResponseSchema,
} from "../gen/keywarden/v1/explain_pb.ts";
import { ReasonSchema } from "../gen/keywarden/v1/verify_service_pb.ts";
import { callAdmin } from "./call.ts";
import { clientAction, type Registration, responseJson } from "./client-command.ts";
import { examples } from "./examples.ts";
import { keyTitle } from "./key-text.ts";
import { asWholeNumber } from "./option-values.ts";
import type { Paint } from "./paint.ts";
import { safeText } from "./safe-text.ts";
import { readToken } from "./standard-input.ts";
import { tablePages } from "./table.ts";

interface ExplainOptions {
  readonly scope?: string;
  readonly clientIp?: string;
  readonly api?: string;
  readonly environment?: string;
  readonly cost?: number;
}

/** `keywarden key explain`. */
export function addKeyExplain(parent: Command, registration: Registration): void {
  const command = parent
    .command("explain")
    .summary("show every check of a decision")
    .description(
      "Shows what every check of a decision comes to, for a key's current token or for a token on standard input. " +
        "Nothing is charged. Ends with 1 if it would be denied.",
    )
    .argument("[id]", "the key's id; without it, a token is read from standard input")
    .option("--scope <expression>", "what the call needs, such as 'orders:read AND files:write'")
    .option("--client-ip <address>", "where the call comes from")
    .option("--api <id>", "the API that is called; by default the key's")
    .option("--environment <name>", "the environment that is called; by default the key's")
    .option("--cost <units>", "what the call costs of the key's rate limits", asWholeNumber);
  examples(command, [
    [
      "keywarden key explain 0190a4b2-5c1e-7d3a-9f00-3b1c2d4e5f60 --scope orders:write --client-ip 203.0.113.7",
      "why does this key not get in?",
    ],
    [`printf %s "$TOKEN" | keywarden key explain --scope orders:read`, "and this token?"],
  ]);
  clientAction(command, registration, async (session, keyId) => {
    const { scope = "", clientIp = "", api = "", environment = "", cost } = command.opts<ExplainOptions>();
    const { settings, shell, print, paint } = session;
    const subject =
      keyId === ""
        ? { case: "token" as const, value: await readToken(shell, "keywarden key explain …") }
        : { case: "keyId" as const, value: keyId };
    const question = {
      requiredScope: scope,
      clientIp,
      api,
      environment,
      ...(cost === undefined ? {} : { cost }),
    };
    const response = await callAdmin(settings, (client) => client.explainKey({ subject, ...question }));
    if (settings.json) await print(responseJson(ExplainKeyResponseSchema, response));
    else await print(explanationText(response, paint));
    return response.allowed ? "ok" : "denied";
  });
}

function explanationText({ allowed, reason, checks, key }: ExplainKeyResponse, paint: Paint): string {
  const verdict = allowed
    ? paint("green", "✓ it would be allowed")
    : paint("red", `✗ it would be denied: ${ReasonSchema.value[reason]?.localName ?? reason}`);
  const draw = tablePages<Check>(
    [
      {
        title: "",
        text: ({ outcome }) => MARKS.get(outcome) ?? "?",
        style: (mark) => COLOURS.get(mark) ?? "none",
      },
      {
        title: "CHECK",
        text: (check) => ReasonSchema.value[check.reason]?.localName ?? String(check.reason),
      },
      { title: "WHAT IT LOOKED AT", text: ({ detail }) => detail },
    ],
    paint,
  );
  const whose = key === undefined ? "" : `${safeText(keyTitle(key))} of ${safeText(key.owner)}\n`;
  return `${verdict}\n${whose}\n${draw(checks)}`;
}

const MARKS = new Map<Check_Outcome, string>([
  [Check_Outcome.PASSED, "✓"],
  [Check_Outcome.FAILED, "✗"],
  [Check_Outcome.SKIPPED, "-"],
]);
const COLOURS = new Map<string, "green" | "red">([
  ["✓", "green"],
  ["✗", "red"],
]);
