import type { Batch } from "./batches.ts";

interface Sending<Answer> {
  readonly send: (batch: Batch) => Promise<Answer>;
  /** Told of each batch once all before it are done, too: in order, one at a time. */
  readonly onDone: (batch: Batch, answer: Answer) => Promise<void>;
  /** Calls open at once. */
  readonly most: number;
  /** Aborted: no further batch is begun, and those that were are waited for. */
  readonly signal: AbortSignal;
}

/**
 * Sends batches, several at once. Resolves when all are done, or after the signal those that were begun. Rejects with
 * what the first that fails rejects with, or what the batches throw, once all that were begun have ended; `onDone` was then
 * told of all before it.
 */
export async function sendBatches<Answer>(
  batches: AsyncIterable<Batch>,
  { send, onDone, most, signal }: Sending<Answer>,
): Promise<void> {
  const open = new Set<Promise<void>>();
  let inOrder: Promise<void> = Promise.resolve();
  let hasFailed = false;
  try {
    for await (const batch of batches) {
      if (hasFailed || signal.aborted) break;
      const answered = send(batch);
      const before = inOrder;
      inOrder = (async () => {
        // A call that was begun is waited for, also behind one that has failed.
        await Promise.allSettled([before, answered]);
        await before;
        await onDone(batch, await answered);
      })();
      const ended = inOrder.then(
        () => void open.delete(ended),
        () => {
          hasFailed = true;
          open.delete(ended);
        },
      );
      open.add(ended);
      while (open.size >= most && !signal.aborted) await Promise.race(open);
    }
  } finally {
    // Also when there is no next batch to be had: what was begun is told of before anything else happens.
    await Promise.all(open);
  }
  await inOrder;
}
