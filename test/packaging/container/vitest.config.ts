import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

/** Apart from the other tests, because the first build takes minutes: `npm run test:container`. */
export default defineConfig({
  test: {
    root: resolve(import.meta.dirname, "../../.."),
    include: ["test/packaging/container/image.ts"],
    testTimeout: 120_000,
    hookTimeout: 900_000,
  },
});
