import { AdminService } from "../gen/keywarden/v1/admin_service_pb.ts";
import { SelfService } from "../gen/keywarden/v1/self_service_pb.ts";
import { VerifyService } from "../gen/keywarden/v1/verify_service_pb.ts";
import { formatDuration } from "../settings/duration.ts";
import { formatHostPort, type HostPort, isLoopback } from "../settings/values.ts";
import type { ClientSettings } from "../settings.ts";
import {
  callerCredentialSource,
  credentialSource,
  readCallerCredential,
  readCredential,
} from "./credential.ts";
import { Failure } from "./failure.ts";
import { createRpcClient, type RpcClient, type RpcClientOptions, RpcError } from "./rpc-client.ts";
import { safeText } from "./safe-text.ts";
import { readTls, unreachable } from "./tls.ts";

export type AdminClient = RpcClient<(typeof AdminService)["method"]>;
export type SelfClient = RpcClient<(typeof SelfService)["method"]>;
export type VerifyClient = RpcClient<(typeof VerifyService)["method"]>;

interface Plane {
  readonly name: string;
  readonly address: HostPort;
  readonly flag: string;
  /** What its callers show, and what to do if that is not accepted. */
  readonly credential: string;
  readonly remedy: string;
}

function refusePlaintext({ address, flag }: Plane, { tls, insecurePlaintext }: ClientSettings): void {
  if (tls || isLoopback(address) || insecurePlaintext) return;
  throw new Failure(
    "usage",
    `${flag} ${formatHostPort(address)} is another machine: a token could be read on the way`,
    [
      "Call it over TLS: add --tls-ca FILE, with the authority that issued its certificate, or --tls for a public one.",
      "Or, on a network that you trust, add --insecure-plaintext.",
    ],
  );
}

/** What a call's error means to the person who ran the command. */
function rpcFailure(error: RpcError, plane: Plane, settings: ClientSettings): Failure {
  const where = `${formatHostPort(plane.address)} (${plane.name})`;
  const said = safeText(error.message);
  const refused = (message: string, ...next: string[]) => new Failure("refused", message, next, error);
  if (error.status === "UNAVAILABLE" && error.reason === "") {
    const known = unreachable(where, said, settings);
    if (known !== undefined) return known;
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
      return refused(`the server at ${where} does not accept ${plane.credential}`, plane.remedy);
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

/** How the plane is called. Rejects with a Failure if it must not be, or a file of it can't be read. */
async function connection(
  plane: Plane,
  settings: ClientSettings,
  credential: string | undefined,
): Promise<RpcClientOptions> {
  refusePlaintext(plane, settings);
  return {
    deadlineMs: settings.timeout,
    metadata: () => (credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
    tls: await readTls(settings),
  };
}

function adminPlane({ address }: ClientSettings, credential: string, remedy: string): Plane {
  return { name: "the admin plane", address, flag: "--address", credential, remedy };
}

/** Calls SelfService with a token that is its own credential. Rejects with a Failure. */
export async function callSelf<Result>(
  settings: ClientSettings,
  token: string,
  use: (client: SelfClient) => Promise<Result>,
): Promise<Result> {
  const plane = adminPlane(settings, "the token", "It came on standard input. Is it a token of this server?");
  const options = await connection(plane, settings, token);
  const client = createRpcClient(SelfService, formatHostPort(settings.address), options);
  return translating(plane, settings, client, () => use(client));
}

/** Calls the admin plane with the admin credential. Rejects with a Failure. */
export async function callAdmin<Result>(
  settings: ClientSettings,
  use: (client: AdminClient) => Promise<Result>,
): Promise<Result> {
  const remedy = `It came from ${credentialSource(settings)}. Is that the token of this server?`;
  const plane = adminPlane(settings, "the admin token", remedy);
  refusePlaintext(plane, settings);
  const options = await connection(plane, settings, await readCredential(settings));
  const client = createRpcClient(AdminService, formatHostPort(settings.address), options);
  return translating(plane, settings, client, () => use(client));
}

/** Calls the data plane, with the caller's credential if the settings name one. Rejects with a Failure. */
export async function callVerify<Result>(
  settings: ClientSettings,
  use: (client: VerifyClient) => Promise<Result>,
): Promise<Result> {
  const source = callerCredentialSource(settings);
  const plane = {
    name: "the data plane",
    address: settings.verifyAddress,
    flag: "--verify-address",
    credential: source === undefined ? "a caller without a credential" : "the caller's credential",
    remedy:
      source === undefined
        ? "Say --caller-token-file FILE (KEYWARDEN_CALLER_TOKEN_FILE), with a credential that has the scope verify:call."
        : `It came from ${source}. Is it a credential of this server?`,
  };
  refusePlaintext(plane, settings);
  const options = await connection(plane, settings, await readCallerCredential(settings));
  const client = createRpcClient(VerifyService, formatHostPort(settings.verifyAddress), options);
  return translating(plane, settings, client, () => use(client));
}
