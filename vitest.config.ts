import { defineConfig } from "vitest/config";

const WITHIN_PROCESS = [
  "test/integrity/**/*.test.ts",
  "test/freshness/**/*.test.ts",
  "test/limits/**/*.test.ts",
];

export default defineConfig({
  test: {
    pool: "forks",
    // Most of what takes long waits for servers, disks and timers.
    maxWorkers: 2,
    // Servers that tests start side by side must not ask for the same port.
    env: { KEYWARDEN_ADMIN_HTTP: "127.0.0.1:0", KEYWARDEN_HTTP: "127.0.0.1:0" },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          // What runs within one process, and so counts for coverage.
          include: ["src/**/*.test.ts", "bench/**/*.test.ts", ...WITHIN_PROCESS],
          testTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: "whole",
          include: ["test/**/*.test.ts"],
          exclude: WITHIN_PROCESS,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
    coverage: {
      provider: "v8",
      include: ["src/domain/**", "src/app/**"],
      exclude: ["**/*.test.ts"],
      thresholds: { branches: 95 },
    },
  },
});
