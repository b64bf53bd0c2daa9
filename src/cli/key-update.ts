import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { UpdateKeyResponseSchema } from "../gen/keywarden/v1/admin_service_pb.ts";
import type { Key, KeySchema } from "../gen/keywarden/v1/key_pb.ts";
import { callAdmin } from "./call.ts";
import { clientAction, type Registration, responseJson } from "./client-command.ts";
import { examples } from "./examples.ts";
import { usage } from "./failure.ts";
import { addKeyOptions, binding, expiration, type KeyOptions, OWNER } from "./key-options.ts";
import { keyFacts, keyTitle } from "./key-text.ts";
import { asText, repeated } from "./option-values.ts";
import { safeText } from "./safe-text.ts";
import { facts } from "./table.ts";

export interface UpdateOptions extends KeyOptions {
  readonly addScope?: readonly string[];
  readonly removeScope?: readonly string[];
  readonly clearScopes?: true;
  readonly clearCidrs?: true;
  readonly clearRateLimits?: true;
  readonly clearBinding?: true;
  readonly removeMetadata?: readonly string[];
  /** False: --no-expiry. */
  readonly expiry: boolean;
  readonly etag?: string;
}

/** What an update asks for: fields of the key, and which of them are meant. */
export interface KeyChange {
  readonly key: MessageInitShape<typeof KeySchema>;
  readonly paths: readonly string[];
}

/** True if the new values follow from the old ones, so that the key has to be read first. */
export function needsCurrent({ addScope, removeScope, metadata, removeMetadata }: UpdateOptions): boolean {
  return [addScope, removeScope, metadata, removeMetadata].some((option) => option !== undefined);
}

/** @throws Failure: options contradict each other. */
export function refuseContradictions(options: UpdateOptions): void {
  const { scope, addScope, removeScope, allowCidr, rateLimit, clearScopes, clearCidrs, clearRateLimits } =
    options;
  const together: readonly (readonly [unknown, unknown, string])[] = [
    [
      scope ?? clearScopes,
      addScope ?? removeScope,
      "--scope or --clear-scopes, and --add-scope or --remove-scope",
    ],
    [scope, clearScopes, "--scope and --clear-scopes"],
    [allowCidr, clearCidrs, "--allow-cidr and --clear-cidrs"],
    [rateLimit, clearRateLimits, "--rate-limit and --clear-rate-limits"],
    [options.bindApi ?? options.bindEnvironment, options.clearBinding, "--bind-… and --clear-binding"],
    [options.expiresIn ?? options.expiresAt, options.expiry ? undefined : true, "an expiry and --no-expiry"],
  ];
  for (const [one, other, names] of together) {
    if (one !== undefined && other !== undefined) throw usage(`${names} cannot go together`);
  }
}

function changedScopes(
  current: readonly string[],
  { addScope = [], removeScope = [] }: UpdateOptions,
): string[] {
  const missing = removeScope.filter((scope) => !current.includes(scope));
  if (missing.length > 0) {
    throw usage(
      `the key does not have the scope ${missing.join(", ")}`,
      `It has: ${current.join(", ") || "none"}.`,
    );
  }
  return [...new Set([...current, ...addScope])].filter((scope) => !removeScope.includes(scope));
}

function changedMetadata(current: Key["metadata"], { metadata = [], removeMetadata = [] }: UpdateOptions) {
  const missing = removeMetadata.filter((name) => !Object.hasOwn(current, name));
  if (missing.length > 0) throw usage(`the key has no label ${missing.join(", ")}`);
  const labels = new Map([...Object.entries(current), ...metadata]);
  for (const name of removeMetadata) labels.delete(name);
  return Object.fromEntries(labels);
}

/** What the options say of the key's lists; undefined where they say nothing. */
function newLists(options: UpdateOptions, current: Key | undefined) {
  const { scope, clearScopes, allowCidr, clearCidrs, rateLimit, clearRateLimits } = options;
  const [addsScopes, labels] = [
    options.addScope ?? options.removeScope,
    options.metadata ?? options.removeMetadata,
  ];
  const scopes = clearScopes ? [] : scope;
  return {
    scopes: current && addsScopes ? changedScopes(current.scopes, options) : scopes,
    allowedCidrs: clearCidrs ? [] : allowCidr,
    rateLimits: clearRateLimits ? [] : rateLimit,
    metadata: current && labels ? changedMetadata(current.metadata, options) : undefined,
  };
}

/** The fields that were given a value, by their names in an update mask. */
function givenPaths(values: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(values).filter((path) => values[path] !== undefined);
}

/**
 * The update that the options ask for. `current` is the key as it is, if `needsCurrent`.
 * @throws Failure: the options ask for nothing, or remove what is not there.
 */
export function keyChange(options: UpdateOptions, current: Key | undefined): KeyChange {
  const { name, owner } = options;
  const until = expiration(options);
  const bound = binding(options);
  const lists = newLists(options, current);
  const paths = givenPaths({
    display_name: name,
    owner,
    scopes: lists.scopes,
    allowed_cidrs: lists.allowedCidrs,
    rate_limits: lists.rateLimits,
    metadata: lists.metadata,
    binding: bound ?? options.clearBinding,
    ttl: options.expiresIn,
    expire_time: options.expiry ? options.expiresAt : "never",
  });
  if (paths.length === 0) throw usage("nothing to change", "Say what: see keywarden key update --help.");
  return {
    paths,
    key: {
      displayName: name ?? "",
      owner: owner ?? "",
      scopes: [...(lists.scopes ?? [])],
      allowedCidrs: [...(lists.allowedCidrs ?? [])],
      rateLimits: [...(lists.rateLimits ?? [])],
      metadata: lists.metadata ?? {},
      ...(bound === undefined ? {} : { binding: bound }),
      ...(until === undefined ? {} : { expiration: until }),
    },
  };
}

/** `keywarden key update`. */
export function addKeyUpdate(parent: Command, registration: Registration): void {
  const command = parent
    .command("update")
    .summary("change a key")
    .description("Changes what the options name, and nothing else. It is in force once the command is done.")
    .argument("<id>", "the key's id");
  command.option(...OWNER);
  addKeyOptions(command, "; instead of those it has (repeatable)");
  command
    .option("--add-scope <grant>", "one scope more (repeatable)", repeated(asText))
    .option("--remove-scope <grant>", "one scope less (repeatable)", repeated(asText))
    .option("--clear-scopes", "no scope any more")
    .option("--clear-cidrs", "may be used from anywhere")
    .option("--clear-rate-limits", "no rate limit any more")
    .option("--clear-binding", "for credentials: bound to nothing any more")
    .option("--remove-metadata <name>", "a label less (repeatable)", repeated(asText))
    .option("--no-expiry", "never ends")
    .option("--etag <etag>", "refuse if the key has changed since this was read");
  examples(command, [
    ["keywarden key update 0190a4b2-5c1e-7d3a-9f00-3b1c2d4e5f60 --add-scope orders:write", "one scope more"],
    [
      "keywarden key update 0190a4b2-5c1e-7d3a-9f00-3b1c2d4e5f60 --expires-in 30d --name 'CI, old'",
      "let it run out",
    ],
  ]);
  clientAction(command, registration, async ({ settings, shell, paint, print }, keyId) => {
    const options = command.opts<UpdateOptions>();
    refuseContradictions(options);
    const response = await callAdmin(settings, async (client) => {
      const current = needsCurrent(options) ? (await client.getKey({ keyId })).key : undefined;
      const { key, paths } = keyChange(options, current);
      const etag = options.etag ?? current?.etag ?? "";
      return client.updateKey({ key: { ...key, keyId, etag }, updateMask: { paths: [...paths] } });
    });
    if (settings.json) await print(responseJson(UpdateKeyResponseSchema, response));
    else if (response.key !== undefined) {
      await print(`${paint("green", "✓")} Changed ${safeText(keyTitle(response.key))}\n`);
      await print(facts(keyFacts(response.key, shell.now()), paint));
    }
    return "ok";
  });
}
