import { WantedNames } from "./check-names.ts";
import { ContentFields, latin1, MalformedFields } from "./check-wire.ts";

/** What Envoy asks about, as far as it matters. Empty strings stand for what it does not say. */
export interface CheckRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Of whoever connected to Envoy; empty where that is no IP address. */
  readonly sourceAddress: string;
  /** By name; what the operator has written beside the route. */
  readonly contextExtensions: ReadonlyMap<string, string>;
  /** Those that were asked for, by their names in lower case: every value, each header once. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

/** Stands where a request would, if its bytes are none. It is denied, as an error could let it pass. */
export const MALFORMED_CHECK = "malformed";

/** Field numbers (envoy/service/auth/v3). */
const ATTRIBUTES = 1;
const SOURCE = 1;
const REQUEST = 4;
const CONTEXT_EXTENSIONS = 10;
const ADDRESS = 1;
const SOCKET_ADDRESS = 1;
const SOCKET_ADDRESS_ADDRESS = 2;
const HTTP = 2;
const METHOD = 2;
const HEADERS = 3;
const PATH = 4;
const HEADER_MAP = 13;
const HEADER_MAP_HEADERS = 1;
const KEY = 1;
const VALUE = 2;
const RAW_VALUE = 3;

/**
 * Reads CheckRequests, by hand: of the many headers that a request has few are looked at, and nothing is made of the
 * others. `names`: those of the headers to read, in whatever spelling.
 */
export function checkRequestReader(names: readonly string[]) {
  const wanted = new WantedNames(names);
  return (bytes: Uint8Array, start: number, end: number): CheckRequest | typeof MALFORMED_CHECK => {
    try {
      const reading = new Reading(bytes, wanted);
      reading.read(start, end);
      return reading;
    } catch (error) {
      if (error instanceof MalformedFields) return MALFORMED_CHECK;
      throw error;
    }
  };
}

/** Where something stands. */
type Content = Pick<ContentFields, "start" | "stop">;

class Reading implements CheckRequest {
  method = "";
  path = "";
  sourceAddress = "";
  readonly contextExtensions = new Map<string, string>();
  readonly #bytes: Uint8Array;
  readonly #wanted: WantedNames;
  /** As Envoy has joined them. */
  readonly #joined = new Map<string, string[]>();
  /** As they came, with encode_raw_headers. */
  readonly #raw = new Map<string, string[]>();

  constructor(bytes: Uint8Array, wanted: WantedNames) {
    this.#bytes = bytes;
    this.#wanted = wanted;
  }

  /** A header that came in both forms is one, if they say the same. */
  get headers(): ReadonlyMap<string, readonly string[]> {
    if (this.#raw.size === 0) return this.#joined;
    const headers = new Map<string, readonly string[]>(this.#joined);
    for (const [name, values] of this.#raw) {
      const joined = this.#joined.get(name);
      const isSame = joined === undefined || joined.join(",") === values.join(",");
      headers.set(name, isSame ? values : [...values, ...joined]);
    }
    return headers;
  }

  read(start: number, end: number): void {
    const fields = this.#fields(start, end);
    while (fields.next()) if (fields.number === ATTRIBUTES) this.#attributes(fields);
  }

  #attributes({ start, stop }: ContentFields): void {
    const fields = this.#fields(start, stop);
    while (fields.next()) {
      if (fields.number === SOURCE) this.#source(fields);
      else if (fields.number === REQUEST) this.#request(fields);
      else if (fields.number === CONTEXT_EXTENSIONS) this.#contextExtension(fields);
    }
  }

  #source(peer: ContentFields): void {
    const address = this.#last(peer, ADDRESS);
    const socketAddress = address && this.#last(address, SOCKET_ADDRESS);
    const text = socketAddress && this.#last(socketAddress, SOCKET_ADDRESS_ADDRESS);
    if (text) this.sourceAddress = latin1(this.#bytes, text.start, text.stop);
  }

  /** The field of this number; the last one, if there are several. */
  #last({ start, stop }: Content, number: number): Content | undefined {
    const fields = this.#fields(start, stop);
    let last: Content | undefined;
    while (fields.next()) {
      if (fields.number === number) last = { start: fields.start, stop: fields.stop };
    }
    return last;
  }

  #request({ start, stop }: Content): void {
    const fields = this.#fields(start, stop);
    while (fields.next()) if (fields.number === HTTP) this.#http(fields);
  }

  #http({ start, stop }: Content): void {
    const fields = this.#fields(start, stop);
    while (fields.next()) {
      if (fields.number === HEADERS) this.#header(fields, this.#joined);
      else if (fields.number === PATH) this.path = utf8(this.#bytes, fields.start, fields.stop);
      else if (fields.number === METHOD) this.method = utf8(this.#bytes, fields.start, fields.stop);
      else if (fields.number === HEADER_MAP) this.#headerMap(fields);
    }
  }

  #headerMap({ start, stop }: Content): void {
    const fields = this.#fields(start, stop);
    while (fields.next()) if (fields.number === HEADER_MAP_HEADERS) this.#header(fields, this.#raw);
  }

  /** An entry of a map, or a HeaderValue: they begin alike. */
  #header({ start, stop }: Content, headers: Map<string, string[]>): void {
    const fields = this.#fields(start, stop);
    let name: string | undefined;
    let valueStart = start;
    let valueStop = start;
    while (fields.next()) {
      if (fields.number === KEY) name = this.#wanted.nameIn(this.#bytes, fields.start, fields.stop);
      else if (fields.number === VALUE || (fields.number === RAW_VALUE && fields.stop > fields.start)) {
        valueStart = fields.start;
        valueStop = fields.stop;
      }
    }
    if (name === undefined) return;
    const value = latin1(this.#bytes, valueStart, valueStop);
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [value]);
    else values.push(value);
  }

  #contextExtension({ start, stop }: Content): void {
    const fields = this.#fields(start, stop);
    let name = "";
    let value = "";
    while (fields.next()) {
      if (fields.number === KEY) name = utf8(this.#bytes, fields.start, fields.stop);
      else if (fields.number === VALUE) value = utf8(this.#bytes, fields.start, fields.stop);
    }
    this.contextExtensions.set(name, value);
  }

  #fields(start: number, end: number): ContentFields {
    return new ContentFields(this.#bytes, start, end);
  }
}

function utf8(bytes: Uint8Array, start: number, stop: number): string {
  return Buffer.prototype.utf8Slice.call(bytes, start, stop);
}
