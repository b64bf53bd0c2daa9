import fc from "fast-check";
import { expect, it } from "vitest";
import type { Batch } from "./batches.ts";
import { sendBatches } from "./send-batches.ts";

const NEVER = new AbortController().signal;

function batch(number: number): Batch {
  return { rows: number, bytes: 0, keys: [], lines: [], refused: [] };
}

async function* batchesTo(count: number, failure?: Error): AsyncGenerator<Batch> {
  for (let number = 1; number <= count; number++) yield batch(number);
  if (failure !== undefined) throw failure;
}

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
};

it("tells of batches in their order, whichever answer comes first, and has no more open than allowed", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: 30 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 5 }),
      async (delays, most) => {
        let open = 0;
        let mostOpen = 0;
        const told: number[] = [];
        await sendBatches(batchesTo(delays.length), {
          send: async ({ rows }) => {
            mostOpen = Math.max(mostOpen, ++open);
            await turns(delays[rows - 1] ?? 0);
            open--;
            return rows;
          },
          onDone: async ({ rows }, answer) => {
            expect(answer).toBe(rows);
            await turns(2);
            told.push(rows);
          },
          most,
          signal: NEVER,
        });
        expect(told).toEqual(delays.map((_, index) => index + 1));
        expect(mostOpen).toBeLessThanOrEqual(most);
      },
    ),
  );
});

it("rejects with the first failure, when all that were begun have ended and all before it were told of", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.nat({ max: 20 }), async (failing, delay) => {
      let open = 0;
      const told: number[] = [];
      const sending = sendBatches(batchesTo(8), {
        send: async ({ rows }) => {
          open++;
          await turns(rows === failing ? delay : 50);
          open--;
          if (rows === failing) throw new Error(`batch ${rows}`);
        },
        onDone: async ({ rows }) => void told.push(rows),
        most: 3,
        signal: NEVER,
      });
      await expect(sending).rejects.toThrow(`batch ${failing}`);
      expect(open).toBe(0);
      expect(told).toEqual(Array.from({ length: failing - 1 }, (_, index) => index + 1));
    }),
  );
});

it("of an input that can't be read on, rejects only when what was begun is done and told of", async () => {
  const told: number[] = [];
  const sending = sendBatches(batchesTo(2, new Error("line 3")), {
    send: () => turns(20),
    onDone: async ({ rows }) => void told.push(rows),
    most: 4,
    signal: NEVER,
  });
  await expect(sending).rejects.toThrow("line 3");
  expect(told).toEqual([1, 2]);
});

it("after the signal begins no further batch, and waits for those that were begun", async () => {
  const interruption = new AbortController();
  const told: number[] = [];
  await sendBatches(batchesTo(100), {
    send: async ({ rows }) => {
      if (rows === 5) interruption.abort();
      await turns(20);
    },
    onDone: async ({ rows }) => void told.push(rows),
    most: 4,
    signal: interruption.signal,
  });
  expect(told).toEqual([1, 2, 3, 4, 5]);
});
