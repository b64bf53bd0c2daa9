import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { readServeSettings } from "../../src/settings.ts";
import { machineSession } from "../e2e/machine-session.ts";
import { temporaryDirectory } from "../support/keywarden-process.ts";
import { ROOT } from "./checkout.ts";

const page = readFileSync(join(ROOT, "docs/deploy.md"), "utf8");
const section = page.split("\n### What needs a stopped server\n")[1]?.split("\n## ")[0] ?? "";
const compose = parse(readFileSync(join(ROOT, "examples/docker/compose.yaml"), "utf8"));
/** What a container of the service has: the image's variables, and its own. */
const variables: Readonly<Record<string, string>> = {
  KEYWARDEN_STORE: "sqlite:/var/lib/keywarden/keywarden.db",
  ...compose.services.keywarden.environment,
};

const JQ = "jq";

/** What comes after this in each command of the section. */
function argumentsAfter(pattern: RegExp): readonly string[] {
  return [...section.matchAll(pattern)].map(([, args = ""]) => args);
}

it("a container's commands in place of its server get as far as the store with the service's own variables", async () => {
  const commands = argumentsAfter(/^\$ docker compose run .*? keywarden (.+)$/gm);
  expect(commands).toEqual([
    "restore /backups/backup.db --force",
    "admin reset --yes",
    "serve --grpc off --http off",
  ]);
  const { cli } = machineSession("/nowhere", { variables });
  const restored = await cli([...(commands[0] ?? "").split(" "), "--yes"]);
  expect(restored.stderr).toContain("there is no backup at /backups/backup.db");
  const reset = await cli((commands[1] ?? "").split(" "));
  expect(reset.stderr).toContain("there is no store at /var/lib/keywarden/keywarden.db");
  expect(readServeSettings({ grpc: "off" }, variables)).toMatchObject({ grpc: null, adminGrpc: {} });
});

it("a pod in place of the server's has its volumes and secrets, and no probe that would end it", () => {
  if (spawnSync(JQ, ["--version"]).status !== 0) {
    console.warn("NOT TRIED: the pod in docs/deploy.md. It takes jq.");
    return;
  }
  const directory = temporaryDirectory();
  const [definition = ""] = /^once\(\) \{.*?; \}$/ms.exec(section.replaceAll("$ once()", "once()")) ?? [];
  const container = { name: "keywarden", image: "keywarden:0.1.0", volumeMounts: [{ name: "data" }] };
  const spec = {
    securityContext: { runAsUser: 65532, fsGroup: 65532 },
    containers: [{ ...container, readinessProbe: {}, livenessProbe: {} }],
    volumes: [{ name: "data" }],
  };
  const deployment = { spec: { template: { metadata: { labels: { app: "keywarden" } }, spec } } };
  writeFileSync(join(directory.path, "deployment.json"), JSON.stringify(deployment));
  const uses = argumentsAfter(/^\$ once ([a-z].*)$/gm);
  expect(uses).toEqual([
    "restore /var/lib/keywarden/backup.db --force --yes",
    "admin reset --yes",
    "serve --grpc off --http off",
  ]);
  for (const use of uses) {
    const script = `kubectl() { cat; }\n${definition}\nonce ${use}`;
    const { stdout, stderr } = spawnSync("sh", ["-c", script], { cwd: directory.path, encoding: "utf8" });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "keywarden-once" },
      spec: { ...spec, restartPolicy: "Never", containers: [{ ...container, args: use.split(" ") }] },
    });
  }
  directory.remove();
});
