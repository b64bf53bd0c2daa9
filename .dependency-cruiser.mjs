const src = (...folders) => `^src/(${folders.join("|")})`;

/** A folder may import itself and what stands left of it: domain ← ports ← app ← adapters ← compose, cli. */
const layer = (name, from, allowed) => ({
  name,
  severity: "error",
  from: { path: from, pathNot: "\\.test\\.ts$" },
  to: { path: "^src/", pathNot: allowed },
});

export default {
  forbidden: [
    layer("domain-imports-only-domain", src("domain/"), src("domain/")),
    layer("ports-import-domain", src("ports/"), src("domain/", "ports/")),
    layer("app-imports-ports-and-domain", src("app/"), src("domain/", "ports/", "app/")),
    layer("adapters-import-inwards", src("adapters/"), src("domain/", "ports/", "app/", "adapters/", "gen/")),
    layer("cli-is-a-client-of-the-admin-rpc", src("cli/"), src("cli/", "gen/", "domain/", "settings")),
    {
      name: "machine-commands-know-no-command-line",
      severity: "error",
      from: { path: src("machine/"), pathNot: "\\.test\\.ts$" },
      to: { path: src("cli/") },
    },
    {
      name: "domain-is-pure",
      comment: "No I/O, no clock, no logger, no library: only Node's pure functions.",
      severity: "error",
      from: { path: src("domain/"), pathNot: "\\.test\\.ts$" },
      to: { dependencyTypes: ["core", "npm"], pathNot: "^(node:)?(crypto|zlib|util)$" },
    },
    {
      name: "only-the-grpc-adapter-knows-grpc-js",
      severity: "error",
      from: { path: "^src/", pathNot: src("adapters/grpc/", "cli/") },
      to: { path: "node_modules/@grpc/grpc-js" },
    },
    {
      name: "only-the-sqlite-adapter-knows-sqlite",
      severity: "error",
      from: { path: "^src/", pathNot: src("adapters/sqlite/") },
      to: { path: "node_modules/(better-sqlite3|drizzle-orm)" },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/gen/" },
      to: { circular: true },
    },
    {
      name: "tests-are-not-imported",
      severity: "error",
      from: { path: "^src/", pathNot: "\\.test\\.ts$" },
      to: { path: "(\\.test\\.ts$|^test/)" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
  },
};
