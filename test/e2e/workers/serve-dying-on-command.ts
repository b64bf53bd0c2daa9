// A server whose verification threads die when a file says so.
import { serveWithSeam } from "../../support/serve-with-seam.ts";

await serveWithSeam(new URL("./dying-on-command.ts", import.meta.url));
