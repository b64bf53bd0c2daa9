import { dirname } from "node:path";
import { z } from "zod";
import { DURATION_SHAPE, parseDuration } from "./duration.ts";

/** Where a server listens or is reached. */
export interface HostPort {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

const HOST_PORT_SHAPE = "host:port, such as 127.0.0.1:50051 or [::1]:50051";

function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9_.-]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

/** As it is written in a setting. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** True only for what no other machine can reach: 127.0.0.0/8, ::1 and localhost. */
export function isLoopback({ host }: HostPort): boolean {
  return /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/i.test(host);
}

/** A value that `parse` reads; what it does not, is told in the words of `shape`. */
function written<Value>(shape: string, parse: (text: string) => Value | undefined) {
  return z.string().transform((text, context): Value => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue(`write ${shape}`);
    return z.NEVER;
  });
}

/** A place to listen; null is `off`. Port 0 takes any free one. */
export const listener = written(`${HOST_PORT_SHAPE}, or off`, (text): HostPort | null | undefined =>
  text === "off" ? null : parseHostPort(text),
);

/** A server to call. */
export const serverAddress = written(HOST_PORT_SHAPE, (text) => {
  const address = parseHostPort(text);
  return address?.port === 0 ? undefined : address;
});

/** Milliseconds, up to `most` and from `least` on: durations as well. Node's timers reach no further than 24 days. */
export function durationUpTo(most: string, least = "0ms") {
  const [shortest = 0, longest = 0] = [least, most].map(parseDuration);
  const range = shortest === 0 ? `up to ${most}` : `from ${least} to ${most}`;
  return written(`${DURATION_SHAPE}, ${range}`, (text) => {
    const value = parseDuration(text);
    return value === undefined || value < shortest || value > longest ? undefined : value;
  });
}

export const switchValue = written("true or false", (text) =>
  text === "true" ? true : text === "false" ? false : undefined,
);

export function wholeNumber(least: number, most: number) {
  return written(`a whole number from ${least} to ${most}`, (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? value : undefined;
  });
}

export function oneOf<const Choice extends string>(choices: readonly Choice[]) {
  return written(`one of ${choices.join(", ")}`, (text) => choices.find((choice) => choice === text));
}

export const filePath = written("a file's path", (text) => (text.trim() === "" ? undefined : text));

/** A DNS name, as a certificate has it. */
export const serverName = written("a DNS name, such as keys.example.com", (text) =>
  /^[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*$/.test(text) && text.length <= 253 ? text : undefined,
);

/** As Api.environments has it. */
export const environmentName = written(
  "1 to 16 characters of a-z and 0-9 that start with a letter, such as test or live",
  (text) => (/^[a-z][a-z0-9]{0,15}$/.test(text) ? text : undefined),
);

/** A credential of Keywarden's own: printable ASCII, as it travels in a header. */
export const bearerToken = written("one token, such as the content of the file admin-token", (text) =>
  /^[\x21-\x7e]{16,512}$/.test(text) ? text : undefined,
);

export interface StoreLocation {
  readonly engine: "sqlite";
  /** The database's path. */
  readonly file: string;
  /** Where everything that belongs to the database lives. */
  readonly directory: string;
}

/** Where keys are kept. */
export const storeLocation = z.string().transform((text, context): StoreLocation => {
  const file = /^sqlite:(?!\/\/)(?!:memory:)([^?#]*[^/?#])$/.exec(text)?.[1];
  if (file !== undefined) return { engine: "sqlite", file, directory: dirname(file) };
  context.addIssue(
    /^postgres(ql)?:/.test(text)
      ? "PostgreSQL is not supported by this version; write sqlite:FILE, such as sqlite:./data/keywarden.db"
      : "write sqlite:FILE, such as sqlite:./data/keywarden.db",
  );
  return z.NEVER;
});

/** A part of a whole: 0 to 1. */
export const ratio = written("a number from 0 to 1, such as 0.01", (text) => {
  const value = /^(?:\d(?:\.\d{1,9})?|\.\d{1,9})$/.test(text) ? Number(text) : Number.NaN;
  return value <= 1 ? value : undefined;
});

/** An issuer identifier (RFC 8414 section 2): no query, no fragment; and here no user, no final slash and a plain path. */
export const issuerUrl = written("an address without a query, such as https://keys.example.com", (text) =>
  /^https?:\/\/[^/?#@]+(\/[A-Za-z0-9._~-]+)*$/.test(text) && URL.canParse(text) ? text : undefined,
);

/** A collector's address, with the path under which OTLP/HTTP takes traces. */
export const otlpEndpoint = written("a collector's address, such as http://127.0.0.1:4318", (text) => {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return undefined;
  const base = url.href.replace(/\/+$/, "");
  return base.endsWith("/v1/traces") ? base : `${base}/v1/traces`;
});
