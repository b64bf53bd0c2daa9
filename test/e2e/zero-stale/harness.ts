import { Reason, type VerifyKeyResponse } from "../../../src/gen/keywarden/v1/verify_service_pb.ts";
import type { AdminClient, KeywardenProcess, VerifyClient } from "../../support/keywarden-process.ts";

export interface ZeroStaleResult {
  /** Changes that the server acknowledged, each checked by a verification that began afterwards. */
  readonly changes: number;
  /** Verifications that answered as if an acknowledged change had not been made. */
  readonly stale: number;
  /** Those among them that allowed what had been forbidden. */
  readonly staleAllows: number;
  /** Verifications by the other lanes meanwhile. */
  readonly background: number;
}

interface ZeroStaleOptions {
  readonly server: KeywardenProcess;
  readonly changes: number;
  /** Callers that change keys and check, each one thing at a time. */
  readonly lanes: number;
  /** Callers that verify other keys and the lanes' keys at full speed, so that all are cached all the time. */
  readonly backgroundLanes: number;
}

const API = "stale";
const SCOPE = "orders:read";

/** A key that a lane works on; what it changes is put back, or the key replaced, after each check. */
interface Subject {
  readonly keyId: string;
  token: string;
}

/**
 * What lanes do in turn. Each makes a change, and says what a verification must answer from then on; the change is
 * such that a cached record would answer otherwise.
 */
const CHANGES: readonly ((lane: Lane) => Promise<Reason>)[] = [
  async ({ admin, subject }) => {
    await admin.disableKey({ keyId: subject.keyId });
    return Reason.DISABLED;
  },
  async ({ admin, subject }) => {
    await admin.enableKey({ keyId: subject.keyId });
    return Reason.ALLOWED;
  },
  async ({ admin, subject }) => {
    await admin.updateKey({
      key: { keyId: subject.keyId, scopes: ["files:read"] },
      updateMask: { paths: ["scopes"] },
    });
    return Reason.INSUFFICIENT_SCOPE;
  },
  async ({ admin, subject }) => {
    await admin.updateKey({
      key: { keyId: subject.keyId, scopes: [SCOPE] },
      updateMask: { paths: ["scopes"] },
    });
    return Reason.ALLOWED;
  },
  // Without grace the old token ends at once. The lane goes on with the old one for the check.
  async (lane) => {
    const { token } = await lane.admin.rotateKey({ keyId: lane.subject.keyId });
    lane.afterCheck = () => {
      lane.subject.token = token;
    };
    return Reason.EXPIRED;
  },
  async (lane) => {
    await lane.admin.revokeKey({ keyId: lane.subject.keyId });
    lane.afterCheck = async () => {
      lane.subject = await createSubject(lane.admin);
    };
    return Reason.REVOKED;
  },
];

interface Lane {
  readonly admin: AdminClient;
  readonly verify: VerifyClient;
  subject: Subject;
  afterCheck: (() => void | Promise<void>) | undefined;
}

/** Hits the server from all lanes until that many changes are made and checked. */
export async function huntStaleAnswers(options: ZeroStaleOptions): Promise<ZeroStaleResult> {
  const { server, changes } = options;
  const admin = server.adminClient();
  await admin.createApi({
    api: { apiId: API, displayName: "Stale", tokenPrefix: "st", environments: ["test"], scopes: [] },
  });
  const lanes = await Promise.all(
    Array.from(
      { length: options.lanes },
      async (): Promise<Lane> => ({
        admin,
        verify: server.verifyClient(),
        subject: await createSubject(admin),
        afterCheck: undefined,
      }),
    ),
  );
  let made = 0;
  let stale = 0;
  let staleAllows = 0;
  let background = 0;
  const isGoingOn = () => made < changes;
  const hunt = async (lane: Lane): Promise<void> => {
    // Cached before it is changed: else a stale answer could not be seen.
    await verified(lane.verify, lane.subject);
    for (let turn = 0; isGoingOn(); turn++) {
      made++;
      const expected = await CHANGES[turn % CHANGES.length]!(lane);
      const { reason } = await verified(lane.verify, lane.subject);
      if (reason !== expected) stale++;
      if (reason !== expected && reason === Reason.ALLOWED) staleAllows++;
      await lane.afterCheck?.();
      lane.afterCheck = undefined;
      await verified(lane.verify, lane.subject);
    }
  };
  const load = async (own: Subject): Promise<void> => {
    const verify = server.verifyClient();
    for (let turn = 0; isGoingOn(); turn++) {
      await Promise.all(
        [own, lanes[turn % lanes.length]!.subject].map((subject) => verified(verify, subject)),
      );
      background += 2;
    }
  };
  const others = await Promise.all(
    Array.from({ length: options.backgroundLanes }, () => createSubject(admin)),
  );
  await Promise.all([...lanes.map(hunt), ...others.map(load)]);
  return { changes: made, stale, staleAllows, background };
}

function verified(client: VerifyClient, { token }: Subject): Promise<VerifyKeyResponse> {
  return client.verifyKey({ token, requiredScope: SCOPE, environment: "test" });
}

async function createSubject(admin: AdminClient): Promise<Subject> {
  const { key, token } = await admin.createKey({
    key: { api: API, environment: "test", owner: "acct_1", scopes: [SCOPE] },
  });
  return { keyId: key!.keyId, token };
}
