/** `npm run mutate`: changes src/domain in many small ways; a change that no test notices is a gap in the tests. */
export default {
  mutate: ["src/domain/**/*.ts", "!src/domain/**/*.test.ts"],
  // Only the domain is copied to where it is changed: nothing else can be run, or break the run.
  ignorePatterns: [
    "/*",
    "!/package.json",
    "!/tsconfig.json",
    "!/vitest.config.ts",
    "!/src",
    "/src/*",
    "!/src/domain",
  ],
  testRunner: "vitest",
  vitest: { configFile: "vitest.config.ts", related: false },
  coverageAnalysis: "perTest",
  concurrency: 2,
  incremental: false,
  reporters: ["clear-text", "progress", "html"],
  thresholds: { high: 95, low: 88, break: 85 },
};
