import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { secretSource } from "./secret-source.ts";

function problem(text: string): string {
  const result = secretSource.safeParse(text);
  return result.success ? "none" : result.error.issues.map(({ message }) => message).join();
}

describe("where a secret comes from", () => {
  it.each([
    ["file:/etc/keywarden/pepper", { kind: "file", path: "/etc/keywarden/pepper", madeWithStore: false }],
    ["data/pepper", { kind: "file", path: "data/pepper", madeWithStore: false }],
    ["file:odd: name", { kind: "file", path: "odd: name", madeWithStore: false }],
    ["env:APP_PEPPER", { kind: "env", name: "APP_PEPPER" }],
    ["command:pepper.sh", { kind: "command", program: "pepper.sh", args: [] }],
    [
      "command:vault kv get  -field=pepper secret/keywarden",
      { kind: "command", program: "vault", args: ["kv", "get", "-field=pepper", "secret/keywarden"] },
    ],
  ])("is read from %s", (text, expected) => {
    expect(secretSource.parse(text)).toEqual(expected);
  });

  it.each(["", " ", "file:", "env:", "command: ", "vault:secret/pepper", "https://vault/pepper", "a\nb"])(
    "is not read from %j",
    (text) => {
      expect(problem(text)).toMatch(/^write file:PATH, env:NAME or command:PROGRAM ARGS/);
    },
  );

  it("is no setting of Keywarden's, and no name that a variable can't have", () => {
    expect(problem("env:KEYWARDEN_SECRET")).toContain("give the secret's variable another name");
    expect(problem("env:A-B")).toBe("write env: and the name of a variable");
  });

  it.each(["command:vault | head", "command:echo 'a b'", "command:echo $HOME", "command:a;b"])(
    "is not %s, as there is no shell",
    (text) => {
      expect(problem(text)).toMatch(/without a shell.*write command:SCRIPT/);
    },
  );
});

describe("a secret in place of its source", () => {
  const encodings = ["base64", "base64url", "hex"] as const;
  const secrets = encodings.flatMap((encoding) =>
    Array.from({ length: 20 }, () => randomBytes(32).toString(encoding)),
  );

  it.each(["", "env:", "file:", "command:", " "])("is refused after %j, and not repeated", (scheme) => {
    for (const secret of secrets) {
      // What is said to be a file and begins like an absolute path is one.
      if (scheme === "file:" && secret.startsWith("/")) continue;
      const said = problem(`${scheme}${secret}`);
      expect(said).toMatch(/looks like a secret itself.*file:PATH.*env:NAME/);
      expect(said).not.toContain(secret.slice(4, 20));
    }
  });

  it("does not get in the way of a path that looks like one and is said to be one", () => {
    const path = `/${"a".repeat(42)}`;
    expect(problem(path)).toContain("looks like a secret");
    expect(secretSource.parse(`file:${path}`)).toMatchObject({ kind: "file", path });
  });
});
