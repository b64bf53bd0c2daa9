import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    pool: "forks",
    projects: [
      { extends: true, test: { name: "unit", include: ["src/**/*.test.ts", "bench/**/*.test.ts"] } },
      {
        extends: true,
        test: { name: "whole", include: ["test/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000 },
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
