import { measureCosts } from "../measuring/rounds.ts";
import { costSection } from "../report/section.ts";
import { benchToken, unknownToken } from "../requests/keys.ts";
import type { Experiment } from "./experiment.ts";
import { verifyOne } from "./subjects.ts";

/** A token's checksum, wrong: its last two characters change places, or become others if they are alike. */
function malformed(token: string): string {
  const [last = "", beforeLast = ""] = [token.at(-1), token.at(-2)];
  return token.slice(0, -2) + (last === beforeLast ? "00" : last + beforeLast);
}

export const denials: Experiment = {
  name: "denials",
  question: "whether a denial costs more than an allow",
  async run(bench) {
    const store = "small";
    const token = benchToken(1).reveal();
    const { roomy, spent } = await bench.fleet.limitedTokens(store);
    const server = await bench.fleet.keywarden(store);
    const client = server.verifyClient();
    // The first call is allowed, and spends what the key has.
    await client.verifyKey({ token: spent, clientIp: "203.0.113.7" });
    client.close();
    const asked = [
      { name: "allowed", token, expected: "ALLOWED" },
      { name: "allowed, with a rate limit", token: roomy, expected: "ALLOWED" },
      { name: "malformed", token: malformed(token), expected: "MALFORMED_TOKEN" },
      { name: "unknown, the same again", token: unknownToken(0).reveal(), expected: "UNKNOWN_TOKEN" },
      { name: "wrong scope", token, requiredScope: "users:delete", expected: "INSUFFICIENT_SCOPE" },
      { name: "rate limited", token: spent, expected: "RATE_LIMITED" },
    ] as const;
    const subjects = [];
    for (const each of asked) subjects.push(await verifyOne(bench, { store, ...each }));
    const goal = { atMost: 1 };
    return costSection("Denials, by h2load", await measureCosts(subjects, bench), {
      base: "allowed",
      rows: [
        { name: "allowed" },
        { name: "allowed, with a rate limit" },
        { name: "malformed", goal },
        { name: "unknown, the same again", goal },
        { name: "wrong scope", goal },
        { name: "rate limited", goal },
      ],
    });
  },
};
