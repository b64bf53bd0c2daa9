import { z } from "zod";
import type { SecretSource } from "../domain/keyring.ts";

const SECRET_SOURCE_SHAPE = "file:PATH, env:NAME or command:PROGRAM ARGS, such as file:/etc/keywarden/pepper";

/** What only a shell would understand. */
const SHELL_CHARACTERS = /['"\\`$|&;<>]/;

/** 32 bytes in base64 or base64url, or in hexadecimal. */
const SECRET_SHAPE = /^([A-Za-z0-9+/_-]{43}=?|[0-9A-Fa-f]{64})$/;

/** Somebody may have written the secret where its source is meant. Absolute paths can look like it by chance. */
function looksLikeSecret(text: string, isPathForSure: boolean): boolean {
  return SECRET_SHAPE.test(text) && !(isPathForSure && text.startsWith("/"));
}

/** The source, or what is wrong, in words that never repeat it. */
function parse(text: string): SecretSource | string {
  const [, scheme, rest = ""] = /^(file|env|command):(.*)$/s.exec(text) ?? [undefined, undefined, text];
  if (looksLikeSecret(rest.trim(), scheme === "file")) {
    return (
      "this looks like a secret itself. Everyone who sees the settings would know it: put it into a file that only " +
      "its owner can read and write file:PATH, or into a variable of its own and write env:NAME"
    );
  }
  if (rest.trim() === "" || /\p{Cc}/u.test(rest)) return `write ${SECRET_SOURCE_SHAPE}`;
  if (scheme === "env") return parseVariable(rest);
  if (scheme === "command") return parseCommand(rest);
  if (scheme === undefined && /^[a-z][a-z0-9+.-]*:/i.test(rest)) return `write ${SECRET_SOURCE_SHAPE}`;
  return { kind: "file", path: rest, madeWithStore: false };
}

function parseVariable(name: string): SecretSource | string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return "write env: and the name of a variable";
  return name.startsWith("KEYWARDEN_")
    ? "variables that begin with KEYWARDEN_ are settings: give the secret's variable another name"
    : { kind: "env", name };
}

function parseCommand(line: string): SecretSource | string {
  if (SHELL_CHARACTERS.test(line)) {
    return (
      "the command is run without a shell, and split at its spaces: quotes, variables and pipes mean nothing to it. " +
      "Put them into a script and write command:SCRIPT"
    );
  }
  const [program = "", ...args] = line.trim().split(/ +/);
  return { kind: "command", program, args };
}

/** Where a secret comes from. */
export const secretSource = z.string().transform((text, context): SecretSource => {
  const source = parse(text);
  if (typeof source !== "string") return source;
  context.addIssue(source);
  return z.NEVER;
});
