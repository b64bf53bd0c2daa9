// A server whose freshness check is switched off: what the hunt must catch.
import { serveWithSeam } from "../../support/serve-with-seam.ts";

await serveWithSeam(new URL("./without-freshness-check.ts", import.meta.url));
