import { copyFileSync, cpSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach } from "vitest";
import type { Reason } from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import {
  type AdminClient,
  type KeywardenProcess,
  type StartOptions,
  startKeywarden,
  temporaryDirectory,
  type VerifyClient,
} from "../support/keywarden-process.ts";
import { placePerTest } from "../support/place-per-test.ts";
import { machineSession } from "./machine-session.ts";

export interface Issued {
  readonly keyId: string;
  readonly token: string;
  /** Of the change that made it. */
  readonly revision: number;
}

async function issued(admin: AdminClient): Promise<Issued> {
  const { key, token } = await admin.createKey({ key: { api: "a", environment: "test", owner: "o" } });
  return { keyId: key!.keyId, token, revision: Number(key!.etag) };
}

export async function reasonOf(verifier: VerifyClient, { token }: Issued): Promise<Reason> {
  return (await verifier.verifyKey({ token })).reason;
}

/** Before each test, a store with the API `a` and a key, of which there is a backup. */
export function backedUpStore() {
  const template = temporaryDirectory();
  const place = placePerTest();
  let session: ReturnType<typeof machineSession>;
  let server: KeywardenProcess;
  let admin: AdminClient;
  const data = (name = "") => join(place.directory, "data", name);
  const backup = () => place.path("backup.db");

  beforeAll(async () => {
    const directory = join(template.path, "data");
    const first = await startKeywarden({ directory });
    const client = first.adminClient();
    const api = { apiId: "a", displayName: "A", tokenPrefix: "aa", environments: ["test"] };
    await client.createApi({ api });
    await issued(client);
    await first.stop();
    await machineSession(directory).cli(["backup", join(template.path, "backup.db")]);
  });
  afterAll(() => template.remove());

  beforeEach(() => {
    cpSync(join(template.path, "data"), data(), { recursive: true });
    session = machineSession(data());
  });

  const cli: typeof session.cli = (...call) => session.cli(...call);
  const json: typeof session.json = (...call) => session.json(...call);
  return {
    place,
    /** In the store's directory. */
    data,
    /** Where the backup belongs. */
    backup,
    putBackup: () => copyFileSync(join(template.path, "backup.db"), backup()),
    cli,
    json,
    tamper: (...statements: readonly string[]) => session.tamper(...statements),
    async start(options?: Partial<StartOptions>) {
      server = await place.start({ directory: data(), ...options });
      admin = server.adminClient();
    },
    /** What was started last. */
    get server() {
      return server;
    },
    get admin() {
      return admin;
    },
    issue: () => issued(admin),
  };
}
