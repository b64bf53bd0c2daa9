import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type Key,
  Key_State,
  Key_StateSchema,
  type LastUse,
  type PreviousToken,
} from "../gen/keywarden/v1/key_pb.ts";
import type { RateLimit } from "../gen/keywarden/v1/rate_limit_pb.ts";
import { shorten } from "./safe-text.ts";
import type { Column, Fact } from "./table.ts";
import { durationText, relativeTime, timeText } from "./time-text.ts";

/** As `--rate-limit` takes it. */
function rateLimitText({ name, quota, window }: RateLimit): string {
  return `${name}=${quota}/${durationText(window)}`;
}

function stateWord(state: Key_State): string {
  return (Key_StateSchema.value[state]?.localName ?? "unknown").toLowerCase();
}

function isExpired({ expiration }: Key, now: number): boolean {
  return expiration.case === "expireTime" && timestampMs(expiration.value) <= now;
}

/** What a key's state comes to at `now`: an active key may have expired. */
function stateText(key: Key, now: number): string {
  return key.state === Key_State.ACTIVE && isExpired(key, now) ? "expired" : stateWord(key.state);
}

/** How a key is called in a sentence: its name, if it has one, and its id. */
export function keyTitle({ displayName, keyId }: Key): string {
  return displayName === "" ? `key ${keyId}` : `key "${displayName}" (${keyId})`;
}

function expireTime({ expiration }: Key) {
  return expiration.case === "expireTime" ? expiration.value : undefined;
}

/** Everything that is known of a key. */
export function keyFacts(key: Key, now: number): readonly Fact[] {
  const previous = key.previousToken;
  return [
    ["Key", key.keyId],
    ["Name", key.displayName],
    ["Owner", key.owner],
    ["API", `${key.api}, ${key.environment}`],
    ["State", stateText(key, now)],
    ["Scopes", key.scopes.length === 0 ? "none: only where no scope is required" : key.scopes],
    ["Used from", key.allowedCidrs.length === 0 ? "anywhere" : key.allowedCidrs],
    ["Bound to", bindingText(key)],
    ["Rate limits", key.rateLimits.length === 0 ? "none" : key.rateLimits.map(rateLimitText)],
    ["Metadata", Object.entries(key.metadata).map(([name, value]) => `${name}=${value}`)],
    ["Token", key.hint],
    ["Last used", lastUseText(key.lastUse, now)],
    ["Old token", previous === undefined ? "" : previousText(previous, now)],
    ["Expires", timeText(expireTime(key), now, "never")],
    ["Created", timeText(key.createTime, now, "")],
    ["Changed", timeText(key.updateTime, now, "")],
    ["Revoked", timeText(key.revokeTime, now, "")],
    ["Etag", key.etag],
  ];
}

function bindingText({ binding }: Key): string {
  if (binding === undefined) return "";
  const { apis, environment } = binding;
  return `${apis.join(", ") || "any API"}, ${environment || "any environment"}`;
}

function lastUseText(use: LastUse | undefined, now: number): string {
  if (use === undefined) return "";
  return `${timeText(use.time, now, "")}${use.clientIp === "" ? "" : ` from ${use.clientIp}`}`;
}

/** When the old token ends, and whether it is used still: so that one knows whether its grace can be ended. */
function previousText({ hint, expireTime: end, lastUse }: PreviousToken, now: number): readonly string[] {
  const used =
    lastUse === undefined
      ? "never used, as far as it has been written down"
      : `last used ${lastUseText(lastUse, now)}`;
  return [`${hint}, until ${timeText(end, now, "")}`, used];
}

const STATE_COLOURS = new Map([
  ["active", "green"],
  ["disabled", "yellow"],
  ["revoked", "red"],
  ["expired", "red"],
] as const);

function scopesText(scopes: readonly string[]): string {
  const [first = "-", second, ...more] = scopes;
  if (second === undefined) return first;
  return more.length === 0 ? `${first} ${second}` : `${first} ${second} +${more.length}`;
}

/** What a list shows of each key. */
export function keyColumns(now: number): readonly Column<Key>[] {
  return [
    { title: "ID", text: ({ keyId }) => keyId },
    { title: "NAME", text: ({ displayName }) => shorten(displayName, 32) },
    { title: "OWNER", text: ({ owner }) => shorten(owner, 24) },
    { title: "API", text: ({ api }) => api },
    { title: "ENVIRONMENT", text: ({ environment }) => environment },
    {
      title: "STATE",
      text: (key) => stateText(key, now),
      style: (text) => [...STATE_COLOURS].find(([state]) => state === text)?.[1] ?? "none",
    },
    { title: "SCOPES", text: ({ scopes }) => shorten(scopesText(scopes), 48) },
    {
      title: "EXPIRES",
      text: (key) => {
        const time = expireTime(key);
        return time === undefined ? "never" : relativeTime(timestampMs(time), now);
      },
    },
    { title: "TOKEN", text: ({ hint }) => hint },
  ];
}
