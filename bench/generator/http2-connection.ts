import { connect, type Socket } from "node:net";
import type { HeaderBlocks } from "./header-blocks.ts";

/** Frame types, flags and settings (RFC 9113 §6). */
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;
const FRAME_HEADER = 9;
const INITIAL_WINDOW = 65_535;
const GREATEST_WINDOW = 2 ** 31 - 1;
/** Calls open at once; more wait here. A server may end a connection that has more open than it allows. */
const MOST_OPEN = 100;
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
/** No pushes; windows of streams as great as they go. */
const SETTINGS_SENT = Buffer.from([0, 2, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff]);

/** The number that the request was sent with, and the body of the reply: undefined if there was none. */
type OnReply = (tag: number, reply: Buffer | undefined) => void;

interface Call {
  readonly tag: number;
  reply: Buffer | undefined;
}

/**
 * The client's side of one HTTP/2 connection, with as little work for each call as can be: a load generator that
 * costs more than the server would measure itself. It reads no response headers; whoever uses it looks at the body.
 */
export class Http2Connection {
  readonly #socket: Socket;
  readonly #blocks: HeaderBlocks;
  readonly #onReply: OnReply;
  readonly #onEnd: (error: Error) => void;
  readonly #calls = new Map<number, Call>();
  readonly #waiting: (readonly [body: Buffer, tag: number])[] = [];
  #outgoing: Buffer[] = [];
  #incoming: Buffer = Buffer.alloc(0);
  #nextStream = 1;
  /** Bytes that the peer still takes. */
  #window = INITIAL_WINDOW;
  #received = 0;

  /** `onEnd` is told once if the connection can't be used any more. */
  constructor(port: number, blocks: HeaderBlocks, onReply: OnReply, onEnd: (error: Error) => void) {
    this.#blocks = blocks;
    this.#onReply = onReply;
    this.#onEnd = onEnd;
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.#socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on("error", onEnd);
    this.#socket.on("close", () => onEnd(new Error("the server closed the connection")));
    this.#outgoing.push(PREFACE, frame(SETTINGS, 0, 0, SETTINGS_SENT));
    this.#widen(GREATEST_WINDOW - INITIAL_WINDOW);
  }

  /** Sends a framed gRPC message as a call of its own, with the next `flush`. */
  send(body: Buffer, tag: number): void {
    if (this.#waiting.length > 0 || !this.#hasRoom(body)) this.#waiting.push([body, tag]);
    else this.#open(body, tag);
  }

  #hasRoom(body: Buffer): boolean {
    return body.length <= this.#window && this.#calls.size < MOST_OPEN;
  }

  #open(body: Buffer, tag: number): void {
    this.#window -= body.length;
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#calls.set(stream, { tag, reply: undefined });
    const block = stream === 1 ? this.#blocks.first : this.#blocks.repeated;
    const bytes = Buffer.allocUnsafe(2 * FRAME_HEADER + block.length + body.length);
    writeHeader(bytes, 0, block.length, HEADERS, END_HEADERS, stream);
    block.copy(bytes, FRAME_HEADER);
    writeHeader(bytes, FRAME_HEADER + block.length, body.length, DATA, END_STREAM, stream);
    body.copy(bytes, 2 * FRAME_HEADER + block.length);
    this.#outgoing.push(bytes);
  }

  flush(): void {
    if (this.#outgoing.length === 0) return;
    this.#socket.write(
      this.#outgoing.length === 1 ? (this.#outgoing[0] ?? "") : Buffer.concat(this.#outgoing),
    );
    this.#outgoing = [];
  }

  close(): void {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#incoming.length === 0 ? chunk : Buffer.concat([this.#incoming, chunk]);
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER) {
      const end = at + FRAME_HEADER + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      const type = bytes[at + 3] ?? 0;
      const flags = bytes[at + 4] ?? 0;
      this.#take(type, flags, bytes.readUInt32BE(at + 5), bytes.subarray(at + FRAME_HEADER, end));
      at = end;
    }
    this.#incoming = bytes.subarray(at);
    this.flush();
  }

  #take(type: number, flags: number, stream: number, payload: Buffer): void {
    switch (type) {
      case DATA:
        this.#takeData(stream, payload);
        break;
      case RST_STREAM:
        this.#finish(stream, undefined);
        return;
      case SETTINGS:
        if ((flags & ACK) === 0) this.#outgoing.push(frame(SETTINGS, ACK, 0, Buffer.alloc(0)));
        return;
      case PING:
        if ((flags & ACK) === 0) this.#outgoing.push(frame(PING, ACK, 0, payload));
        return;
      case GOAWAY:
        this.#onEnd(new Error("the server sent GOAWAY"));
        return;
      case WINDOW_UPDATE:
        if (stream === 0) {
          this.#window += payload.readUInt32BE(0);
          this.#openWaiting();
        }
        return;
    }
    if ((type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0) {
      this.#finish(stream, this.#calls.get(stream)?.reply);
    }
  }

  #takeData(stream: number, payload: Buffer): void {
    const call = this.#calls.get(stream);
    if (call !== undefined)
      call.reply = call.reply === undefined ? payload : Buffer.concat([call.reply, payload]);
    this.#received += payload.length;
    if (this.#received > GREATEST_WINDOW / 2) {
      this.#widen(this.#received);
      this.#received = 0;
    }
  }

  #finish(stream: number, reply: Buffer | undefined): void {
    const call = this.#calls.get(stream);
    if (call === undefined) return;
    this.#calls.delete(stream);
    this.#openWaiting();
    this.#onReply(call.tag, reply);
  }

  #openWaiting(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#hasRoom(next[0]); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#open(...next);
    }
  }

  /** We take so many bytes more. */
  #widen(bytes: number): void {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(bytes);
    this.#outgoing.push(frame(WINDOW_UPDATE, 0, 0, size));
  }
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const bytes = Buffer.alloc(FRAME_HEADER + payload.length);
  writeHeader(bytes, 0, payload.length, type, flags, stream);
  payload.copy(bytes, FRAME_HEADER);
  return bytes;
}

function writeHeader(
  bytes: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): void {
  bytes.writeUIntBE(length, at, 3);
  bytes[at + 3] = type;
  bytes[at + 4] = flags;
  bytes.writeUInt32BE(stream, at + 5);
}
