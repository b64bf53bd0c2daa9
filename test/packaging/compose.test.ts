import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { parseDuration } from "../../src/settings/duration.ts";
import { ROOT } from "./checkout.ts";
import { settingsOf } from "./settings-of.ts";

const FILE = join(ROOT, "examples/docker/compose.yaml");

/** What this file may say, and nothing else: a word that Compose does not know would be caught here. */
const compose = z
  .strictObject({
    name: z.literal("keywarden"),
    services: z.strictObject({
      keywarden: z.strictObject({
        image: z.string(),
        build: z.literal("../.."),
        restart: z.literal("unless-stopped"),
        stop_grace_period: z.string(),
        ports: z.array(z.string()),
        environment: z.record(z.string(), z.string()),
        secrets: z.array(z.string()),
        volumes: z.tuple([z.literal("data:/var/lib/keywarden")]),
        healthcheck: z.strictObject({
          test: z.array(z.string()),
          interval: z.string(),
          timeout: z.string(),
          start_period: z.string(),
          retries: z.number(),
        }),
        read_only: z.literal(true),
        tmpfs: z.array(z.string().includes("noexec").includes("nosuid")),
        cap_drop: z.tuple([z.literal("ALL")]),
        security_opt: z.tuple([z.literal("no-new-privileges:true")]),
        pids_limit: z.number(),
        ulimits: z.strictObject({ core: z.literal(0), nice: z.literal(20) }),
      }),
    }),
    volumes: z.strictObject({ data: z.null() }),
    secrets: z.record(z.string(), z.strictObject({ file: z.string().startsWith("./secrets/") })),
  })
  .parse(parse(readFileSync(FILE, "utf8")));
const service = compose.services.keywarden;

describe("examples/docker/compose.yaml", () => {
  it("gives the server settings that it accepts, and the commands beside it as well", () => {
    const settings = settingsOf(service.environment);
    expect(settings).toMatchObject({
      grpc: { host: "0.0.0.0", port: 50051 },
      adminGrpc: { host: "127.0.0.1" },
      insecurePlaintext: false,
      callersRequired: true,
    });
    expect(parseDuration(service.stop_grace_period)).toBeGreaterThan(settings.drainGrace);
  });

  it("publishes only the data plane, which has TLS", () => {
    expect(service.ports).toEqual(["50051:50051"]);
    expect(service.environment).toHaveProperty("KEYWARDEN_TLS_CERT");
  });

  it("gives each secret that a setting names, and no others", () => {
    const named = Object.values(service.environment)
      .map((value) => /^(?:file:)?\/run\/secrets\/(.+)$/.exec(value)?.[1])
      .filter((name) => name !== undefined)
      .toSorted();
    expect(service.secrets.toSorted()).toEqual(named);
    expect(Object.keys(compose.secrets).toSorted()).toEqual(named);
  });

  it("runs the image of this version, and probes it as the image itself does", () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(service.image).toBe(`keywarden:${version}`);
    const [, command = "", probe = ""] = service.healthcheck.test.join(" ").split(/^CMD | health /);
    expect(`${command} health ${probe}`).toBe("node /opt/keywarden/dist/main.js health --quiet");
    const dockerfile = readFileSync(join(ROOT, "Dockerfile"), "utf8");
    expect(dockerfile).toContain(JSON.stringify(service.healthcheck.test.slice(1)).replaceAll(",", ", "));
  });

  it("is what docker compose itself accepts", () => {
    const { status, stderr, error } = spawnSync("docker", ["compose", "-f", FILE, "config", "--quiet"], {
      encoding: "utf8",
    });
    if (
      error !== undefined ||
      /is not a docker command|unknown (docker )?command|unknown shorthand/.test(stderr)
    ) {
      console.warn("NOT TESTED WITH docker compose: there is none on this machine");
      return;
    }
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});
