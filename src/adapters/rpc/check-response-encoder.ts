import { LRUCache } from "lru-cache";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import type { Encoder } from "../../ports/transport.ts";
import { prefersPlainText } from "../proxy/media-type.ts";
import type { ProxyOptions } from "../proxy/proxy-options.ts";
import { rateLimitHeaders } from "../proxy/rate-limit-fields.ts";
import { allowedKey, type CheckAnswer, checkResponseBytes } from "./check-response.ts";
import { writeBytes, writeLatin1 } from "./wire.ts";

/** Answers that are kept, about half a kilobyte each: to the keys that are in use, and to what is denied. */
const ALLOWED_KEPT = 16_384;
const DENIED_KEPT = 2_048;

/** The last bytes of every answer to a verdict: its revision, as the number (a double) that ends the metadata. */
const REVISION_SIZE = 8;

/**
 * Encodes answers. The same are given again and again, but for the revision: each is made once, and then copied, as latin1
 * text, which takes less memory than a buffer.
 */
export function checkResponseEncoder(options: ProxyOptions): Encoder<CheckAnswer> {
  const allowed = new LRUCache<string, string>({ max: ALLOWED_KEPT });
  const denied = new LRUCache<string, string>({ max: DENIED_KEPT });
  let sized: { readonly answer: CheckAnswer; readonly bytes: string } | undefined;

  const made = (answer: CheckAnswer): string => {
    const name = nameOf(answer);
    const kept = allowedKey(answer.outcome) === undefined ? denied : allowed;
    const known = name === undefined ? undefined : kept.get(name);
    if (known !== undefined) return known;
    const bytes = Buffer.from(checkResponseBytes(answer, options)).toString("latin1");
    if (name !== undefined) kept.set(name, bytes);
    return bytes;
  };

  return {
    maxSize(answer) {
      const bytes = made(answer);
      sized = { answer, bytes };
      return bytes.length;
    },
    encode(answer, bytes, offset) {
      const text = sized?.answer === answer ? sized.bytes : made(answer);
      sized = undefined;
      const end = writeLatin1(bytes, offset, text);
      if (!(answer.outcome instanceof KeywardenError)) {
        writeBytes(bytes, end - REVISION_SIZE, revisionBytes(answer.outcome.revision));
      }
      return end;
    },
  };
}

const double = new DataView(new ArrayBuffer(REVISION_SIZE));
const doubleBytes = new Uint8Array(double.buffer);

function revisionBytes(revision: number): Uint8Array {
  double.setFloat64(0, revision, true);
  return doubleBytes;
}

/** The same for answers that differ in their revision only. Undefined: it is of a kind that is not made often. */
function nameOf({ outcome, accept, strays }: CheckAnswer): string | undefined {
  if (strays.length > 0) return undefined;
  if (outcome instanceof KeywardenError) {
    return [outcome.status, outcome.reason, prefersPlainText(accept)].join("\n");
  }
  const { decision, message, wwwAuthenticate } = outcome;
  const { record, reason, rateLimit, retryAfter } = decision;
  const key = record === undefined ? "" : `${record.key.id} ${record.key.revision}`;
  if (decision.allowed) return key;
  const limit = rateLimit === undefined ? [] : rateLimitHeaders(rateLimit, []);
  return [key, reason, retryAfter, limit, message, wwwAuthenticate, prefersPlainText(accept)].join("\n");
}
