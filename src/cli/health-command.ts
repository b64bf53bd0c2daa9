import type { GenService } from "@bufbuild/protobuf/codegenv2";
import type { Command } from "commander";
import { Health, HealthCheckResponse_ServingStatus } from "../gen/grpc/health/v1/health_pb.ts";
import { formatDuration } from "../settings/duration.ts";
import { formatHostPort } from "../settings/values.ts";
import { CLIENT_SETTINGS, type ClientSettings, readClientSettings } from "../settings.ts";
import type { Registration } from "./client-command.ts";
import { examples } from "./examples.ts";
import { EXIT_CODES, type ExitName } from "./exit-code.ts";
import { createRpcClient, RpcError } from "./rpc-client.ts";
import { safeText } from "./safe-text.ts";
import { addSettings } from "./setting-options.ts";
import { write } from "./shell.ts";
import { readTls, unreachable } from "./tls.ts";

/** Whoever probes asks again soon, and gives up after seconds. */
const TIMEOUT = "2s";

/** A probe has no credential and gets nothing worth reading: it needs neither, nor the consent to go without TLS. */
const NEEDLESS = new Set([
  "adminToken",
  "tokenFile",
  "callerToken",
  "callerTokenFile",
  "insecurePlaintext",
  "json",
  "noColor",
]);
const HEALTH_SETTINGS = CLIENT_SETTINGS.filter(({ name }) => !NEEDLESS.has(name)).map((row) =>
  row.name === "timeout" ? { ...row, default: TIMEOUT, unset: TIMEOUT } : row,
);

const ENDS: readonly ExitName[] = ["ok", "usage", "refused", "unreachable", "notServing"];

/** Health without its stream, which this client has no use for. */
const HealthCheck: GenService<Pick<(typeof Health)["method"], "check">> = Health;

interface Finding {
  readonly exit: ExitName;
  readonly text: string;
}

interface HealthOptions {
  readonly admin?: true;
  readonly quiet?: true;
}

function problem(error: RpcError, where: string, settings: ClientSettings): Finding {
  switch (error.status) {
    case "UNAVAILABLE": {
      const known = unreachable(where, safeText(error.message), settings);
      const lines = known === undefined ? [`no server answers at ${where}`] : [known.message, ...known.next];
      return { exit: "unreachable", text: lines.join("\n  ") };
    }
    case "DEADLINE_EXCEEDED":
      return {
        exit: "unreachable",
        text: `no answer from ${where} within ${formatDuration(settings.timeout)}`,
      };
    default:
      return { exit: "refused", text: `what answers at ${where} has no gRPC health checks: ${error.status}` };
  }
}

/** Asks for the health of the whole server behind one plane (the empty service name). Rejects with a Failure. */
async function askHealth(settings: ClientSettings, admin: boolean): Promise<Finding> {
  const { address, verifyAddress, timeout: deadlineMs } = settings;
  const host = formatHostPort(admin ? address : verifyAddress);
  const where = `${host} (${admin ? "the admin plane" : "the data plane"})`;
  const client = createRpcClient(HealthCheck, host, { deadlineMs, tls: await readTls(settings) });
  try {
    const { status } = await client.check({});
    return status === HealthCheckResponse_ServingStatus.SERVING
      ? { exit: "ok", text: `${where} serves` }
      : { exit: "notServing", text: `${where} answers, but does not serve` };
  } catch (error) {
    if (error instanceof RpcError) return problem(error, where, settings);
    throw error;
  } finally {
    client.close();
  }
}

/** `keywarden health`. */
export function addHealthCommand(program: Command, { shell, finish }: Registration): void {
  const command = program
    .command("health")
    .summary("ask whether a server serves")
    .description(
      "Asks a server whether it serves (grpc.health.v1), for the probes of containers, systemd and Kubernetes. " +
        "Needs no credential.",
    )
    .option("--admin", "ask the admin plane, at --address, in place of the data plane, at --verify-address")
    .option("-q, --quiet", "print nothing: the exit code says it");
  const flags = addSettings(command, "Connection:", HEALTH_SETTINGS);
  examples(command, [
    ["keywarden health", "does the data plane serve?"],
    ["keywarden health --admin --quiet", "does the admin plane? For a script"],
  ]);
  const codes = ENDS.map((name) => `  ${EXIT_CODES[name].code}  ${EXIT_CODES[name].meaning}`);
  command.addHelpText("after", `\nExit codes:\n${codes.join("\n")}`);
  command.action(async () => {
    const { admin = false, quiet = false } = command.opts<HealthOptions>();
    const variables = { KEYWARDEN_TIMEOUT: TIMEOUT, ...shell.variables };
    const { exit, text } = await askHealth(readClientSettings(flags(), variables), admin);
    if (!quiet) await write(exit === "ok" ? shell.stdout : shell.stderr, `${text}\n`);
    finish(exit);
  });
}
