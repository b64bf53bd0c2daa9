import { chmodSync, cpSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import type { Finding } from "../../../src/domain/finding.ts";
import { HOST, type Host } from "../../../src/machine/doctor-host.ts";
import { examine } from "../../../src/machine/examine.ts";
import { machine } from "../../../src/machine/machine.ts";
import type { Surroundings } from "../../support/command-line.ts";
import { type StartOptions, startKeywarden, temporaryDirectory } from "../../support/keywarden-process.ts";
import { placePerTest } from "../../support/place-per-test.ts";
import { machineSession } from "../machine-session.ts";

type Session = ReturnType<typeof machineSession>;

/** What the doctor is asked about: the store of a test, and how to ask. */
export type DoctorSubject = ReturnType<typeof doctorSubject>;

export const DAY = 86_400_000;

/** Those that a fresh installation has. */
export const FRESH = ["ADMIN_TOKEN_FILE", "SECRETS_BESIDE_STORE", "ONE_ADMINISTRATOR"];

export const SOUND: Host = { ...HOST, isClockSynchronised: async () => true, freeBytes: () => 1e12 };

/** Before each test, a store with two APIs, one of them deleted, and keys: active, rotated, and an expiring credential. */
export function doctorSubject() {
  const template = temporaryDirectory();
  /** Of keys: an active one, a rotated one, and the bootstrap administrator. */
  const ids = { key: "", other: "", administrator: "" };
  /** The codes of all findings that a test has made. */
  const made = new Set<string>();
  const place = placePerTest();
  let session: Session;
  /** In the directory of the store. */
  const path = (name = "") => join(place.directory, "data", name);
  const cli: Session["cli"] = (...call) => session.cli(...call);

  beforeAll(async () => {
    const server = await startKeywarden({ directory: join(template.path, "data") });
    const admin = server.adminClient();
    for (const apiId of ["aa", "bb"]) {
      await admin.createApi({ api: { apiId, displayName: "A", tokenPrefix: apiId, environments: ["test"] } });
    }
    await admin.deleteApi({ apiId: "bb" });
    const create = async (api: string, environment: string, more = {}) => {
      const { key } = await admin.createKey({ key: { api, environment, owner: "o", ...more } });
      return key!.keyId;
    };
    ids.key = await create("aa", "test");
    ids.other = await create("aa", "test");
    await admin.rotateKey({ keyId: ids.other, grace: { seconds: 3600n } });
    await create("keywarden", "live", { expiration: { case: "ttl", value: { seconds: 600n } } });
    const { keys } = await admin.listKeys({ api: "keywarden" });
    ids.administrator = keys.find(({ displayName }) => displayName === "bootstrap admin")!.keyId;
    await server.stop();
  });
  afterAll(() => template.remove());

  beforeEach(() => {
    cpSync(join(template.path, "data"), path(), { recursive: true });
    chmodSync(path(), 0o700);
    session = machineSession(path());
  });

  async function doctor(
    args: readonly string[] = [],
    host: Partial<Host> = {},
    surroundings: Surroundings = {},
  ) {
    const storeCare: typeof machine.storeCare = {
      ...machine.storeCare,
      examine: (settings, options) => examine(settings, options, { ...SOUND, ...host }),
    };
    const { code, stdout, stderr } = await cli(["doctor", "--json", ...args], {
      machine: { ...machine, storeCare },
      ...surroundings,
    });
    if (stdout === "") throw new Error(stderr);
    const examination = JSON.parse(stdout);
    const findings: readonly Finding[] = examination.findings;
    return { code, findings, examination };
  }

  /** The one finding of this code; it has something to say, and something to do. */
  function one(findings: readonly Finding[], code: string): Finding {
    const found = findings.filter((finding) => finding.code === code);
    expect(found.map((finding) => finding.code)).toEqual([code]);
    const [finding] = found as [Finding];
    made.add(code);
    expect(finding.what).not.toMatch(/\.$|undefined|\[object/);
    expect(finding.next).not.toBe("");
    return finding;
  }

  return {
    place,
    path,
    ids,
    made,
    cli,
    tamper: (...statements: readonly string[]) => session.tamper(...statements),
    /** A server over the store, unless it is told otherwise. */
    start: (options?: Partial<StartOptions>) => place.start({ directory: path(), ...options }),
    doctor,
    one,
  };
}
