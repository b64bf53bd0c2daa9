import { type DescMessage, type DescMethod, fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  AdminService,
  CreateAuditCheckpointResponseSchema,
} from "../../src/gen/keywarden/v1/admin_service_pb.ts";
import { BatchImportKeysResponseSchema } from "../../src/gen/keywarden/v1/import_pb.ts";
import { SelfService } from "../../src/gen/keywarden/v1/self_service_pb.ts";
import {
  BatchVerifyKeysResponseSchema,
  VerifyKeyResponseSchema,
  VerifyService,
} from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import { type KeywardenProcess, startKeywarden, temporaryDirectory } from "../support/keywarden-process.ts";
import { isIgnored, RULED_FIELDS, verdictsOn } from "./accepted-values.ts";
import { type BadValue, badValues } from "./bad-values.ts";
import {
  type BaseRequest,
  baseRequests,
  createWorld,
  type MakeRequest,
  type World,
} from "./base-requests.ts";
import { type FieldPlace, placesIn } from "./field-places.ts";
import { type Answer, answerOf, RawClient } from "./raw-call.ts";
import { refusalProblems } from "./refusal-problems.ts";
import type { Verdict } from "./value-rules.ts";
import { WHOLE_REQUESTS } from "./whole-requests.ts";
import { contentAt, withRecords } from "./wire-records.ts";

const SEED = 20_261_124;
const SERVICES = [VerifyService, AdminService, SelfService];
const METHODS: readonly DescMethod[] = SERVICES.flatMap(({ methods }) => methods);
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
/** Of what failed: more would be no help. */
const MOST_SHOWN = 40;
/** Of a request to the data plane. */
const MOST_BYTES = 64 * 1024;

const directory = temporaryDirectory();
let server: KeywardenProcess;
let world: World;
let bases: Awaited<ReturnType<typeof baseRequests>>;
let dataPlane: RawClient;
let adminPlane: RawClient;
/** The number of the last change, as it was last seen. */
let known = 0n;
let tried = 0;

beforeAll(async () => {
  server = await startKeywarden({
    directory: directory.path,
    flags: ["--environment", "test", "--failure-budget", "0"],
  });
  world = await createWorld(server);
  bases = await baseRequests(world);
  dataPlane = new RawClient(server.grpc);
  adminPlane = new RawClient(server.adminGrpc);
  known = await lastChange();
});
afterAll(async () => {
  dataPlane?.close();
  adminPlane?.close();
  await server.stop();
  directory.remove();
});

async function call(method: DescMethod, message: Uint8Array, token: string): Promise<Answer> {
  const path = `/${method.parent.typeName}/${method.name}`;
  if (method.parent.typeName === VerifyService.typeName) return dataPlane.call(path, message, undefined);
  return adminPlane.call(path, message, token);
}

/** The number of the last change: what stored nothing leaves it as it is. */
async function lastChange(): Promise<bigint> {
  const { response } = await call(
    AdminService.method.createAuditCheckpoint,
    new Uint8Array(),
    server.adminToken,
  );
  return fromBinary(CreateAuditCheckpointResponseSchema, response).checkpoint?.revision ?? 0n;
}

/** What an answer with an outcome for each item says of the first one. */
function outcomeOf(method: DescMethod, answer: Answer): Answer & { readonly verdict: Verdict } {
  const verdict = answer.status ?? "UNKNOWN";
  if (answer.status !== "OK") return { ...answer, verdict };
  switch (method.localName) {
    case "verifyKey": {
      const { allowed } = fromBinary(VerifyKeyResponseSchema, answer.response);
      return { ...answer, verdict: allowed ? "OK" : "DENIED" };
    }
    case "batchVerifyKeys": {
      const [first] = fromBinary(BatchVerifyKeysResponseSchema, answer.response).results;
      const outcome = first?.outcome;
      if (outcome?.case !== "error")
        return { ...answer, verdict: outcome?.value?.allowed === true ? "OK" : "DENIED" };
      const error = answerOf(outcome.value);
      const violations = error.violations.map((violation) => ({
        ...violation,
        field: `requests[0].${violation.field}`,
      }));
      return { ...error, violations, verdict: error.status ?? "UNKNOWN" };
    }
    case "batchImportKeys": {
      const [first] = fromBinary(BatchImportKeysResponseSchema, answer.response).outcomes;
      if (first === undefined || first.violations.length === 0) return { ...answer, verdict };
      const { violations } = first;
      const refusal = { message: "refused", reason: "INVALID_FIELDS", domain: "keywarden", violations };
      return { ...answer, ...refusal, status: "INVALID_ARGUMENT", verdict: "INVALID_ARGUMENT" };
    }
    default:
      return { ...answer, verdict };
  }
}

/** What makes the valid request that has the most of what is around the place. */
async function baseFor(method: DescMethod, place: FieldPlace): Promise<MakeRequest> {
  const makers = basesOf(method);
  const made = await Promise.all(makers.map(async (make) => toBinary(method.input, (await make()).message)));
  const depths = made.map((bytes) =>
    place.steps.findLastIndex(
      (_step, index) => contentAt(bytes, place.steps.slice(0, index + 1)) !== undefined,
    ),
  );
  return makers[depths.indexOf(Math.max(...depths))] ?? makers[0];
}

function basesOf(method: DescMethod): readonly [MakeRequest, ...MakeRequest[]] {
  const [first, ...others] = bases.get(method.name) ?? [];
  if (first === undefined) throw new Error(`${method.name} has no valid request`);
  return [first, ...others];
}

interface Trial {
  readonly method: DescMethod;
  readonly base: BaseRequest;
  readonly bytes: Uint8Array;
  readonly label: string;
  readonly verdicts: readonly Verdict[];
  readonly path: string | undefined;
  readonly text: string;
}

/** Sends it, and says everything that is wrong with what came back. */
async function problemsOf(trial: Trial): Promise<readonly string[]> {
  const { method, base, bytes, label, verdicts, path, text } = trial;
  tried++;
  const before = base.isNews === true ? await lastChange() : known;
  const answer = outcomeOf(method, await call(method, bytes, base.token ?? server.adminToken));
  // What is too long to be read at all is refused by the transport.
  if (answer.verdict === "RESOURCE_EXHAUSTED" && bytes.length > MOST_BYTES) return [];
  const problems: string[] = [];
  if (!verdicts.includes(answer.verdict)) {
    const why = answer.violations.map(({ field, description }) => `${field} ${description}`).join("; ");
    problems.push(
      `${answer.verdict} and not ${verdicts.join(" or ")} (${answer.reason} ${answer.message} ${why})`,
    );
  }
  if (answer.status !== "OK") {
    problems.push(
      ...refusalProblems(answer, { request: method.input, path, text, secret: server.adminToken }),
    );
  } else {
    problems.push(...invisibleIn(method.output, answer.response));
  }
  known = await lastChange();
  if (answer.status !== "OK" && known !== before) problems.push("something was stored");
  return problems.map((problem) => `${method.name} ${label}: ${problem}`);
}

/** No answer repeats what does not show. */
function invisibleIn(schema: DescMessage, bytes: Uint8Array): readonly string[] {
  const shown = JSON.stringify(fromBinary(schema, bytes), (_name, value: unknown) =>
    typeof value === "bigint"
      ? String(value)
      : typeof value === "string"
        ? `${INVISIBLE.test(value)}`
        : value,
  );
  return shown.includes('"true"') ? ["the answer has in it what does not show"] : [];
}

/** Everything that can be wrong at the place, one after the other. */
async function problemsAt(method: DescMethod, place: FieldPlace, seed: number): Promise<readonly string[]> {
  const make = await baseFor(method, place);
  const given = contentAt(toBinary(method.input, (await make()).message), place.steps);
  const isItem = place.name.endsWith("[]");
  const problems: string[] = [];
  for (const value of badValues(place, given, { seed, secret: server.adminToken })) {
    // An item that is not there is a list without it.
    if (isItem && value.meaning.kind === "unset") continue;
    if (isIgnored(method.name, place) && value.meaning.kind !== "unreadable" && !value.isWorst) continue;
    // A new request for each: what names a thing that is made can be used once.
    problems.push(...(await problemsOf(trialOf(method, place, value, await make()))));
  }
  return problems;
}

function trialOf(method: DescMethod, place: FieldPlace, value: BadValue, base: BaseRequest): Trial {
  const { label, meaning } = value;
  const number = place.steps.at(-1)?.number ?? 0;
  const verdicts = verdictsOn(method.name, place, meaning);
  return {
    method,
    base,
    bytes: withRecords(toBinary(method.input, base.message), place.steps, value.records(number)),
    label: `with ${label} as ${place.path} (${place.name})`,
    verdicts,
    path: verdicts.includes("OK") ? undefined : place.path,
    text: meaning.kind === "text" ? meaning.text : "",
  };
}

test("every method has a valid request to start from, and every rule has a field", async () => {
  expect(METHODS.map(({ name }) => name).filter((name) => !bases.has(name))).toEqual([]);
  const places = METHODS.flatMap(({ input }) => placesIn(input));
  const names = new Set(places.map(({ name }) => name));
  expect(RULED_FIELDS.filter((name) => !names.has(name))).toEqual([]);
});

describe(`with one thing bad (seed ${SEED})`, () => {
  test.for(METHODS.map((method) => [method.name, method] as const))(
    "%s is as its proto says, says what is wrong, and stores nothing that is bad",
    { timeout: 300_000 },
    async ([, method]) => {
      const problems: string[] = [];
      for (const make of basesOf(method)) {
        const base = await make();
        const bytes = toBinary(method.input, base.message);
        const whole = { method, base, bytes, text: "", path: undefined };
        problems.push(...(await problemsOf({ ...whole, label: "as it should be", verdicts: ["OK"] })));
      }
      for (const [index, place] of placesIn(method.input).entries()) {
        problems.push(...(await problemsAt(method, place, SEED + index)));
      }
      expect(problems.slice(0, MOST_SHOWN)).toEqual([]);
    },
  );

  test.for(METHODS.map((method) => [method.name, method] as const))(
    "%s refuses what is no message, and takes fields that it does not know",
    async ([, method]) => {
      const problems: string[] = [];
      for (const { label, verdicts, around } of WHOLE_REQUESTS) {
        const [make] = basesOf(method);
        const base = await make();
        const bytes = around(toBinary(method.input, base.message));
        problems.push(
          ...(await problemsOf({ method, base, bytes, label, verdicts, text: "", path: undefined })),
        );
      }
      expect(problems).toEqual([]);
    },
  );
});

test("enough was tried", () => {
  console.info(`${tried} requests, seed ${SEED}`);
  expect(tried).toBeGreaterThan(2_000);
});

test("after all of it the audit is sound, and nothing went wrong within", async () => {
  const { problems } = await world.admin.verifyAudit({});
  expect(problems).toEqual([]);
  expect(
    server
      .output()
      .split("\n")
      .filter((line) => /"level":(50|60|"error"|"fatal")/.test(line)),
  ).toEqual([]);
});
