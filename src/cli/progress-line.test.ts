import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { progressLine } from "./progress-line.ts";

function shown(isTTY: boolean) {
  const clock = { now: 0 };
  const stderr = Object.assign(new PassThrough({ encoding: "utf8" }), { isTTY });
  return {
    clock,
    progress: progressLine({ stderr, now: () => clock.now }),
    text: () => String(stderr.read() ?? ""),
  };
}

it("a long step shows on a terminal how far it has come, ten times a second at most, and is gone afterwards", () => {
  const { clock, progress, text } = shown(true);
  for (clock.now = 0; clock.now < 200; clock.now += 10) {
    progress.show({ step: "copying", done: clock.now * 1e6, total: 1e9, unit: "bytes" });
  }
  progress.end();
  const clear = "\r\u001b[K";
  expect(text()).toBe(`${clear}copying: 0 KB of 1,000 MB …${clear}copying: 100 MB of 1,000 MB …${clear}`);
});

it("records are counted, and a step without parts only has its name", () => {
  const { clock, progress, text } = shown(true);
  progress.show({ step: "checking seals", done: 5_000, total: 1_000_000, unit: "records" });
  clock.now = 100;
  progress.show({ step: "checking the file", done: 0, total: 1, unit: "records" });
  expect(text()).toMatch(/checking seals: 5,000 of 1,000,000 …[^:]*checking the file …$/);
});

it("nothing is shown where nobody looks", () => {
  const { progress, text } = shown(false);
  progress.show({ step: "copying", done: 1, total: 2, unit: "bytes" });
  progress.end();
  expect(text()).toBe("");
});
