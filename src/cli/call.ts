import { AdminService } from "../gen/keywarden/v1/admin_service_pb.ts";
import { VerifyService } from "../gen/keywarden/v1/verify_service_pb.ts";
import { formatDuration } from "../settings/duration.ts";
import { formatHostPort, type HostPort, isLoopback } from "../settings/values.ts";
import type { ClientSettings } from "../settings.ts";
import { credentialSource, readCredential } from "./credential.ts";
import { Failure } from "./failure.ts";
import { createRpcClient, type RpcClient, RpcError } from "./rpc-client.ts";
import { safeText } from "./safe-text.ts";

export type AdminClient = RpcClient<(typeof AdminService)["method"]>;
export type VerifyClient = RpcClient<(typeof VerifyService)["method"]>;

interface Plane {
  readonly name: string;
  readonly address: HostPort;
  readonly flag: string;
}

function refusePlaintext({ address, flag }: Plane, { insecurePlaintext }: ClientSettings): void {
  if (isLoopback(address) || insecurePlaintext) return;
  throw new Failure(
    "usage",
    `${flag} ${formatHostPort(address)} is another machine, and this version has no TLS`,
    ["A token could be read on the way. On a network that you trust, add --insecure-plaintext."],
  );
}

/** What a call's error means to the person who ran the command. */
function rpcFailure(error: RpcError, plane: Plane, settings: ClientSettings): Failure {
  const where = `${formatHostPort(plane.address)} (${plane.name})`;
  const said = safeText(error.message);
  const refused = (message: string, ...next: string[]) => new Failure("refused", message, next, error);
  if (error.status === "UNAVAILABLE" && error.reason === "") {
    const next = [
      "Start one with npm start or keywarden serve.",
      `Or say where it is: ${plane.flag} host:port.`,
    ];
    return new Failure("unreachable", `no server answers at ${where}`, next, error);
  }
  if (error.status === "DEADLINE_EXCEEDED") {
    const message = `the server at ${where} did not answer within ${formatDuration(settings.timeout)}`;
    const next = [
      "A change may have been made all the same: look before you repeat it. --timeout gives it longer.",
    ];
    return new Failure("unreachable", message, next, error);
  }
  switch (error.status) {
    case "UNAUTHENTICATED":
      return refused(
        `the server at ${where} does not accept the admin token`,
        `It came from ${credentialSource(settings)}. Is that the token of this server?`,
      );
    case "INVALID_ARGUMENT":
      if (error.violations.length === 0) return refused(said);
      return refused(
        "the server refused the request",
        ...error.violations.map(({ field, description }) => safeText(`${field}: ${description}`)),
      );
    case "ABORTED":
      return refused(
        said,
        "It was changed by someone else in the meantime. Look at it again, then repeat the command.",
      );
    case "UNIMPLEMENTED":
      return refused(
        `the server at ${where} does not know this call`,
        "Is it another plane of Keywarden? By default verify is at port 50051 and everything else at 50052.",
      );
    default:
      return refused(said === "" ? `the server answered ${error.status}` : said);
  }
}

async function translating<Result>(
  plane: Plane,
  settings: ClientSettings,
  client: { close(): void },
  use: () => Promise<Result>,
): Promise<Result> {
  try {
    return await use();
  } catch (error) {
    throw error instanceof RpcError ? rpcFailure(error, plane, settings) : error;
  } finally {
    client.close();
  }
}

/** Calls the admin plane with the admin credential. Rejects with a Failure. */
export async function callAdmin<Result>(
  settings: ClientSettings,
  use: (client: AdminClient) => Promise<Result>,
): Promise<Result> {
  const plane = { name: "the admin plane", address: settings.address, flag: "--address" };
  refusePlaintext(plane, settings);
  const authorization = `Bearer ${await readCredential(settings)}`;
  const client = createRpcClient(AdminService, formatHostPort(settings.address), {
    deadlineMs: settings.timeout,
    metadata: () => ({ authorization }),
  });
  return translating(plane, settings, client, () => use(client));
}

/** Calls the data plane. Rejects with a Failure. */
export async function callVerify<Result>(
  settings: ClientSettings,
  use: (client: VerifyClient) => Promise<Result>,
): Promise<Result> {
  const plane = { name: "the data plane", address: settings.verifyAddress, flag: "--verify-address" };
  refusePlaintext(plane, settings);
  const client = createRpcClient(VerifyService, formatHostPort(settings.verifyAddress), {
    deadlineMs: settings.timeout,
  });
  return translating(plane, settings, client, () => use(client));
}
